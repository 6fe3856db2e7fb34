"""Measurements of bluegreen and its simulator: ``python -m benchmarks``."""
