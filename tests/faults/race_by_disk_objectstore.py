"""Run by a Python with disk-objectstore: adds objects and reads them back. `… FOLDER SECONDS SEED`."""

import hashlib
import json
import random
import sys
import time

from disk_objectstore import Container


def main():
    """Add loose objects, read some of those added, one by one and many at once; print the keys."""
    folder, seconds, seed = sys.argv[1:]
    source, keys, reads = random.Random(int(seed)), [], 0
    deadline = time.time() + float(seconds)
    with Container(folder) as container:
        while time.time() < deadline:
            keys.append(container.add_object(source.randbytes(source.randrange(5000))))
            for key in source.sample(keys, min(5, len(keys))):
                assert hashlib.sha256(container.get_object_content(key)).hexdigest() == key
                reads += 1
            some = source.sample(keys, min(50, len(keys)))
            for key, content in container.get_objects_content(some, skip_if_missing=False).items():
                assert content is not None, f'{key} is lost'
                assert hashlib.sha256(content).hexdigest() == key
                reads += 1
    print(json.dumps({'keys': keys, 'reads': reads}))


if __name__ == '__main__':
    main()
