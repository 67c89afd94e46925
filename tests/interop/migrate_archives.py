"""Run by AiiDA's Python: migrate archives as `verdi archive migrate` does, and tell what AiiDA reads in each.

    python migrate_archives.py OLD… -- NEW…

One line of JSON: what it reads in what it made of each OLD, then what it reads in each NEW.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from aiida.storage.sqlite_zip.backend import SqliteZipBackend
from aiida.storage.sqlite_zip.migrator import migrate
from aiida_dump import dump, open_storage


def read(path: Path) -> Any:
    """What AiiDA reads in an archive of today."""
    found, errors = dump(open_storage(SimpleNamespace(profile=None, archive=str(path))), True)
    assert not errors, errors
    return found


def main() -> None:
    """Migrate and read."""
    cut = sys.argv.index('--')
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for number, old in enumerate(sys.argv[1:cut]):
            target = Path(folder, f'{number}.aiida')
            migrate(old, target, SqliteZipBackend.version_head())
            found.append(read(target))
        found += [read(Path(name)) for name in sys.argv[cut + 1 :]]
    print(json.dumps(found, sort_keys=True))


if __name__ == '__main__':
    main()
