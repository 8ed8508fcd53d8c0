"""Prefix sums over the heights of what is stacked: a Fenwick tree, O(log n) each time, 16 bytes for each."""

from __future__ import annotations

from array import array
from collections.abc import Iterable


class Heights:
    """The heights of entries stacked on each other, in rows."""

    __slots__ = ("_heights", "_tree", "total")

    def __init__(self, heights: Iterable[int] = ()) -> None:
        self._heights = array("q")
        self._tree = array("q", [0])
        self.total = 0
        """All rows."""
        for height in heights:
            self.append(height)

    def __len__(self) -> int:
        return len(self._heights)

    def __getitem__(self, index: int) -> int:
        return self._heights[index]

    def append(self, height: int) -> None:
        """Put an entry below the others."""
        self._heights.append(height)
        self.total += height
        node = len(self._heights)
        below, child = height, 1
        while child < node & -node:
            below += self._tree[node - child]
            child <<= 1
        self._tree.append(below)

    def pop(self) -> None:
        """Take the lowest entry away."""
        self.total -= self._heights.pop()
        self._tree.pop()

    def set(self, index: int, height: int) -> int:
        """Change the height of an entry; returns by how much it grew."""
        growth = height - self._heights[index]
        if growth:
            self._heights[index] = height
            self.total += growth
            node = index + 1
            while node < len(self._tree):
                self._tree[node] += growth
                node += node & -node
        return growth

    def top(self, index: int) -> int:
        """The first row of an entry; for `len(self)` the first row below all."""
        total = 0
        while index > 0:
            total += self._tree[index]
            index -= index & -index
        return total

    def find(self, row: int) -> tuple[int, int]:
        """The entry that holds a row, and the row within it; rows outside give the nearest end."""
        tree, last = self._tree, len(self._tree) - 1
        if not last:
            return 0, 0
        row = max(0, min(row, self.total - 1))
        index, step = 0, 1 << (last.bit_length() - 1)
        while step:
            node = index + step
            if node <= last and (rows := tree[node]) <= row:
                index = node
                row -= rows
            step >>= 1
        return min(index, last - 1), row
