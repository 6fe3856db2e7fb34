"""Requests: how many arrive, whom they meet, how long answers take, and what became of them."""
