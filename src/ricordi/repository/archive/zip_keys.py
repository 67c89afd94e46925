"""Which objects an archive holds: a compact table, for who looks up many of them."""

from __future__ import annotations

from collections.abc import Iterator

from ricordi.model.file_trees import is_key
from ricordi.zipfiles.directory import ZipDirectory
from ricordi.zipfiles.format import Member

PREFIX = 'repo/'
"""What stands before the key in the name of a member that is an object."""


class KeyTable:
    """Where the entries of objects are, by key: 40 bytes for each, sorted."""

    WIDTH = 40

    def __init__(self, directory: ZipDirectory, prefix: str) -> None:
        """
        :param prefix: what stands before the key in the name of a member; other members are passed over.
        """
        self._directory = directory
        rows = sorted(
            bytes.fromhex(name[len(prefix) :]) + position.to_bytes(8, 'big')
            for name, position in directory.positions()
            if name.startswith(prefix) and is_key(name, len(prefix))
        )
        self._table = b''.join(rows)

    def __len__(self) -> int:
        return len(self._table) // self.WIDTH

    def find(self, key: str) -> Member | None:
        """The member that holds an object."""
        wanted = bytes.fromhex(key)
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if self._table[middle * self.WIDTH : middle * self.WIDTH + 32] < wanted:
                low = middle + 1
            else:
                high = middle
        begin = low * self.WIDTH
        if self._table[begin : begin + 32] != wanted:
            return None
        return self._directory.member_at(int.from_bytes(self._table[begin + 32 : begin + 40], 'big'))

    def keys(self) -> Iterator[str]:
        """All keys, ascending; each once."""
        previous = b''
        for begin in range(0, len(self._table), self.WIDTH):
            key = self._table[begin : begin + 32]
            if key != previous:
                yield key.hex()
            previous = key
