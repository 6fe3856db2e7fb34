"""Counts of random choices, drawn for all requests of a second at once, and only from bits."""

from __future__ import annotations

import random
from collections.abc import Mapping
from hashlib import blake2b


def dice(*names: object) -> random.Random:
    """A source of bits that is the same for the same names, whoever asked for what before."""
    digest = blake2b(repr(names).encode(), digest_size=16).digest()
    return random.Random(int.from_bytes(digest, "big"))


def binomial(trials: int, part: int, whole: int, bits: random.Random) -> int:
    """How many of some trials succeed, each with a chance of ``part / whole``.

    Each trial compares a uniform number with the chance, binary digit by binary digit; half of those that are
    still undecided are decided by each digit, so that about two bits a trial are drawn, in a few big draws.

    Args:
        trials: How many.
        part: 0 to ``whole``.
        whole: 1 or more.
        bits: Where the digits come from.
    """
    if part >= whole:
        return trials
    successes = 0
    while trials and part:
        part *= 2
        ones = bits.getrandbits(trials).bit_count()
        if part >= whole:
            part -= whole
            successes += trials - ones
            trials = ones
        else:
            trials -= ones
    return successes


def multinomial(trials: int, weights: Mapping[str, int], bits: random.Random) -> dict[str, int]:
    """How many of some trials fall to each name, each with a chance in proportion to its weight."""
    left, found = sum(weights.values()), {}
    for name, weight in weights.items():
        found[name] = binomial(trials, weight, left, bits) if left else 0
        trials -= found[name]
        left -= weight
    return found
