"""What an import brings along."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ricordi import orm

HEAVY = ('numpy', 'sqlalchemy', 'psycopg', 'click', 'rich')


def modules_after(code: str) -> set[str]:
    script = f'{code}\nimport sys\nprint(*sys.modules, sep="\\n")'
    done = subprocess.run([sys.executable, '-c', script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_orm_imports_no_entity() -> None:
    loaded = modules_after('from ricordi import orm')
    assert {name for name in loaded if name.startswith('ricordi')} == {'ricordi', 'ricordi.orm'}


def test_data_and_process_classes_bring_nothing_heavy() -> None:
    loaded = modules_after(
        'from ricordi import orm; orm.Dict, orm.ArrayData, orm.CalcJobNode, orm.Group, orm.load_node'
    )
    assert loaded.isdisjoint(HEAVY)
    assert 'importlib.metadata' not in loaded


@pytest.mark.parametrize('name', orm.__all__)
def test_every_public_name_can_be_had(name: str) -> None:
    assert getattr(orm, name) is getattr(orm, name)


def test_other_names_are_refused() -> None:
    with pytest.raises(AttributeError, match='no attribute'):
        orm.NoSuchThing  # noqa: B018
    assert 'Dict' in dir(orm)
