"""A growing row of numbers whose sums are known at every moment."""

from __future__ import annotations


class Fenwick:
    """A Fenwick tree: each operation takes as many steps as the row's length has binary digits.

    Source: P. Fenwick, "A New Data Structure for Cumulative Frequency Tables" (1994). Places count from 0.
    """

    __slots__ = ("_tree",)

    def __init__(self) -> None:
        """Begin with an empty row."""
        # Node i holds the sum of the (i & -i) numbers that end with the i-th.
        self._tree = [0]

    def append(self, number: int) -> None:
        """Let the row grow by one number."""
        tree = self._tree
        i = len(tree)
        j, low = i - 1, i & (i - 1)
        while j > low:
            number += tree[j]
            j &= j - 1
        tree.append(number)

    def add(self, place: int, number: int) -> None:
        """Add to the number at a place."""
        tree = self._tree
        i, size = place + 1, len(tree)
        while i < size:
            tree[i] += number
            i += i & -i

    def before(self, place: int) -> int:
        """The sum of all numbers that stand before a place."""
        tree, total = self._tree, 0
        while place:
            total += tree[place]
            place &= place - 1
        return total

    def place(self, rank: int) -> int:
        """Where the one stands that has ``rank`` others before it, in a row of zeros and ones."""
        tree = self._tree
        size = len(tree)
        i, step = 0, 1 << size.bit_length() - 1
        while step:
            j = i + step
            if j < size and tree[j] <= rank:
                i = j
                rank -= tree[j]
            step >>= 1
        return i
