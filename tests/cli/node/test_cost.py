"""What the verbs of `node` and `group` load: nothing heavy, and queries only where there is one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {'sqlalchemy', 'psycopg', 'rich', 'yaml', 'numpy'}


def modules_after(*arguments: str) -> set[str]:
    """All modules that a command line has loaded when it is done, with their top-level packages."""
    program = (
        'import sys; from ricordi.cli.main import run; code = run(sys.argv[1:]);'
        'print("\\n".join(sys.modules), file=sys.stderr); sys.exit(code)'
    )
    done = subprocess.run([sys.executable, '-c', program, *arguments], capture_output=True, text=True, check=True)
    return {name.split('.')[0] for name in done.stderr.split()} | set(done.stderr.split())


@pytest.mark.parametrize(
    'words',
    ['node show 1', 'node list', 'node tree 1', 'node graph generate 1 -O -', 'group list -C', 'group show numbers'],
)
def test_reading_a_storage_loads_nothing_heavy(words: str, reference_home: Path) -> None:
    assert not modules_after(*words.split()) & HEAVY


@pytest.mark.parametrize(
    'words', ['node attributes 1', 'node extras 1', 'node repo ls 57', 'node repo cat 57 _aiidasubmit.sh']
)
def test_one_row_is_read_without_compiling_a_query(words: str, reference_home: Path) -> None:
    loaded = modules_after(*words.split())
    assert not loaded & HEAVY
    assert not loaded & {'ricordi.storage.query.compiler', 'ricordi.orm.querybuilder.builder', 'ricordi.orm.nodes.node'}


@pytest.mark.parametrize('words', ['node list --help', 'group delete --help', 'node graph generate --help'])
def test_help_loads_click_and_no_storage(words: str) -> None:
    loaded = modules_after(*words.split())
    assert not loaded & HEAVY
    assert not any(name.startswith(('ricordi.storage', 'ricordi.orm', 'ricordi.manager')) for name in loaded)
