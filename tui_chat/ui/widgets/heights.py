"""Prefix sums over the heights of the transcript's entries: a Fenwick tree, O(log n) for every operation."""

from __future__ import annotations

from collections.abc import Iterable


class Heights:
    """The heights of entries stacked on each other, in rows."""

    __slots__ = ("_heights", "_tree")

    def __init__(self, heights: Iterable[int] = ()) -> None:
        self._heights: list[int] = []
        self._tree: list[int] = [0]
        for height in heights:
            self.append(height)

    def __len__(self) -> int:
        return len(self._heights)

    def __getitem__(self, index: int) -> int:
        return self._heights[index]

    def append(self, height: int) -> None:
        """Put an entry below the others."""
        self._heights.append(height)
        node = len(self._heights)
        total, child = height, 1
        while child < node & -node:
            total += self._tree[node - child]
            child <<= 1
        self._tree.append(total)

    def pop(self) -> None:
        """Take the lowest entry away."""
        self._heights.pop()
        self._tree.pop()

    def set(self, index: int, height: int) -> int:
        """Change the height of an entry; returns by how much it grew."""
        growth = height - self._heights[index]
        if growth:
            self._heights[index] = height
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

    @property
    def total(self) -> int:
        """All rows."""
        return self.top(len(self._heights))

    def find(self, row: int) -> tuple[int, int]:
        """The entry that holds a row, and the row within it; rows outside give the nearest end."""
        if not self._heights:
            return 0, 0
        row = max(0, min(row, self.total - 1))
        index, step = 0, 1 << (len(self._heights).bit_length() - 1)
        while step:
            if index + step < len(self._tree) and self._tree[index + step] <= row:
                index += step
                row -= self._tree[index]
            step >>= 1
        return min(index, len(self._heights) - 1), row
