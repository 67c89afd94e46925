"""How a package that is missing is installed for the Python that runs."""

from __future__ import annotations

import shlex
import sys
from importlib.util import find_spec


def way_to_install(package: str) -> str:
    """What installs a package for this very Python, whichever tool has made its environment."""
    python = shlex.quote(sys.executable)
    if find_spec('pip') is not None:
        return f'{python} -m pip install {package}'
    return f'uv pip install -p {python} {package}'
