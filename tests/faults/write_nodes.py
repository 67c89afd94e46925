"""Stores nodes with a file each for some seconds: write_nodes.py aiida|ricordi PROFILE SECONDS.

Prints a line for each node, with its uuid and the SHA-256 of its file, when `store` has returned: from then on nothing
may lose it. Ends with 5 where the profile is locked, with 0 else; the last line says why it ended early, if it did.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import os
import random
import sys
import time


def main(package: str, profile: str, seconds: float) -> int:
    """Store until the time is over; the exit code."""
    library = importlib.import_module(package)
    orm = importlib.import_module(f'{package}.orm')
    deadline = time.monotonic() + seconds
    try:
        library.load_profile(profile)
        while time.monotonic() < deadline:
            content = os.urandom(random.choice((10, 1_000, 40_000, 2_000_000)))
            node = orm.SinglefileData(io.BytesIO(content), filename='content').store()
            print(node.uuid, hashlib.sha256(content).hexdigest(), flush=True)
            time.sleep(random.random() / 20)
    except Exception as error:
        print('#', type(error).__name__, str(error).splitlines()[0][:200], flush=True)
        return 5 if 'Lock' in type(error).__name__ else 0
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
