"""Run by a Python with disk-objectstore: reads what crashes of Ricordi left. `read_by_disk_objectstore.py LIST FOLDER`.

LIST is a JSON file of objects with `name` (of a container in FOLDER) and `keys` (that must be in it). Prints what is
wrong, as a JSON list.
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
    return [f'{folder.name}: cannot read {key}' for key in wrong] + [f'{folder.name}: {invalid}'] * bool(invalid)


if __name__ == '__main__':
    containers = json.loads(Path(sys.argv[1]).read_text())
    folder = Path(sys.argv[2])
    print(json.dumps([c for found in containers for c in complaints(folder / found['name'], found['keys'])]))
