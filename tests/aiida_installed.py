"""An environment in which AiiDA finds the storages of Ricordi."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def installed_in(folder: Path) -> dict[str, str]:
    """Variables with which AiiDA's Python imports this Ricordi, and finds its entry points, as if it were installed.

    :param folder: an empty one, which has to stay.
    """
    project = tomllib.loads((ROOT / 'pyproject.toml').read_text())['project']
    about = folder / 'ricordi-0.0.dist-info'
    about.mkdir()
    (about / 'METADATA').write_text('Metadata-Version: 2.1\nName: ricordi\nVersion: 0.0\n')
    groups = [
        f'[{group}]\n' + ''.join(f'{name} = {place}\n' for name, place in entries.items())
        for group, entries in project['entry-points'].items()
    ]
    (about / 'entry_points.txt').write_text('\n'.join(groups))
    return {**os.environ, 'PYTHONPATH': f'{ROOT / "src"}{os.pathsep}{folder}'}
