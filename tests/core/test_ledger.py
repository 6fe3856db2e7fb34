"""X."""


def test_nothing():
    """X."""
