"""The floor of packing: what the disk and SHA-256 cost when nothing else is done.

    python benchmarks/floor.py CONTAINER [--compress]

A bare loop over all loose files: open, read, SHA-256, append to one file; one fsync; unlink each; fsync each folder.
No index is written, nothing is read back: a packer cannot do less. CONTAINER is destroyed by it. Prints the seconds.
"""

import hashlib
import os
import sys
import time
import zlib


def main() -> None:
    """Run the loop over the container named on the command line."""
    container, compress = sys.argv[1], '--compress' in sys.argv
    began = time.perf_counter()
    loose = os.path.join(container, 'loose')  # noqa: PTH118 - the bare calls, with nothing between
    packed = []
    with open(os.path.join(container, 'floor.pack'), 'ab') as pack:  # noqa: PTH118, PTH123
        for folder in sorted(os.scandir(loose), key=lambda entry: entry.name):
            for entry in sorted(os.scandir(folder.path), key=lambda entry: entry.name):
                with open(entry.path, 'rb') as handle:  # noqa: PTH123
                    content = handle.read()
                hashlib.sha256(content).hexdigest()
                pack.write(zlib.compress(content, 1) if compress else content)
                packed.append(entry.path)
        pack.flush()
        os.fsync(pack.fileno())
    for path in packed:
        os.unlink(path)  # noqa: PTH108
    for folder in os.scandir(loose):
        descriptor = os.open(folder.path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    print(f'{time.perf_counter() - began:.3f}')


if __name__ == '__main__':
    main()
