"""Other programs that tests drive: a test whose program is not here is skipped, or fails where it has to be here.

RICORDI_REQUIRE_PROGRAMS names those that have to be, with spaces between them; `all` stands for every one.
"""

from __future__ import annotations

import os
import shutil

import pytest

FOLDERS_OF_SERVERS = ('/usr/local/sbin', '/usr/sbin', '/sbin')


def needed(program: str, *other_names: str) -> str:
    """The path of a program."""
    path = os.pathsep.join((os.environ['PATH'], *FOLDERS_OF_SERVERS))
    for name in (program, *other_names):
        if found := shutil.which(name, path=path):
            return found
    required = os.environ.get('RICORDI_REQUIRE_PROGRAMS', '').split()
    told = f'{program} is not installed'
    if program in required or 'all' in required:
        pytest.fail(f'{told}, and RICORDI_REQUIRE_PROGRAMS says that it has to be')
    pytest.skip(told)
