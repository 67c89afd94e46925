"""The module that compresses and inflates: `isal.isal_zlib` where it is installed, for it is faster, else `zlib`."""

from __future__ import annotations

import zlib
from functools import cache
from types import ModuleType


@cache
def codec() -> ModuleType:
    """`isal.isal_zlib` or `zlib`; of the first, levels end at 3, and errors are not always `zlib.error`."""
    try:
        from isal import isal_zlib
    except ImportError:
        return zlib
    return isal_zlib


def zlib_stream(content: bytes, level: int) -> bytes:
    """`content` as a zlib stream; `level` as in zlib, 0 to 9."""
    module = codec()
    stream: bytes = module.compress(content, level if module is zlib else min(level, 2))
    return stream
