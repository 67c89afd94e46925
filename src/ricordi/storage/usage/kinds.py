"""Kinds of files: by the ending of the name, by the size."""

from __future__ import annotations

from functools import lru_cache

LONGEST_ENDING = 10
"""What is longer, after a dot, is no ending but a part of the name."""


@lru_cache(4096)
def file_kind(name: str) -> str:
    """The ending of the name of a file, with its dot, in lower case: `.out` of `aiida.out` and of `AIIDA.OUT.3`.

    All of the name where there is none, as of `OUTCAR` and `.bashrc`.
    """
    rest = name
    while True:
        stem, dot, ending = rest.rpartition('.')
        if not dot or not stem.strip('.'):
            return rest
        if not ending.isdecimal():
            break
        rest = stem
    return f'.{ending.lower()}' if ending.isalnum() and len(ending) <= LONGEST_ENDING else rest


def size_class(content: int) -> int:
    """The power of ten of bytes that a size lies above, or is; 0 for an empty file."""
    return 10 ** (len(str(content)) - 1) if content else 0
