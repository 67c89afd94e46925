"""Run by a Python with disk-objectstore: reads what crashes of Ricordi left, container by container.

Each line of standard input is a JSON object: `folder` of a container, `keys` that must be in it. For each, what is
wrong is printed: a JSON list in a line.
"""

import hashlib
import json
import sys
from pathlib import Path

from disk_objectstore import Container


def complaints(folder: Path, keys: list[str]) -> list[str]:
    """What disk-objectstore cannot read, or finds invalid."""
    with Container(folder) as container:
        read = container.get_objects_content(keys)
        wrong = [key for key in keys if read.get(key) is None or hashlib.sha256(read[key]).hexdigest() != key]
        invalid = {name: found for name, found in vars(container.validate()).items() if found}
    return [f'cannot read {key}' for key in wrong] + [str(invalid)] * bool(invalid)


if __name__ == '__main__':
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(complaints(Path(asked['folder']), asked['keys'])), flush=True)
