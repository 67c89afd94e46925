"""Names in AiiDA's places: `ricordi.common`, `ricordi.plugins`, `ricordi.tools`."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ricordi import common, errors, orm, plugins, tools
from ricordi.common import exceptions, timezone
from ricordi.common.hashing import make_hash
from ricordi.plugins import DataFactory, GroupFactory


def test_classes_are_found_by_the_names_of_their_entry_points() -> None:
    for cls in (orm.Int, orm.Dict, orm.StructureData, orm.InstalledCode, orm.RemoteStashFolderData):
        assert DataFactory(cls.entry_point.name) is cls
    for group in (orm.Group, orm.AutoGroup, orm.UpfFamily):
        assert GroupFactory(group.entry_point.name) is group
    assert DataFactory('core.int', load=False) == orm.Int.entry_point
    for factory in (DataFactory, GroupFactory):
        with pytest.raises(errors.MissingEntryPointError, match=r'core\.nonsense'):
            factory('core.nonsense')
        with pytest.raises(TypeError):
            factory(3)  # type: ignore[arg-type]


def test_exceptions_of_aiida_catch_what_is_raised_here() -> None:
    for name in exceptions.__all__:
        assert issubclass(getattr(exceptions, name), exceptions.AiidaException)
        assert getattr(common, name) is getattr(exceptions, name)
    assert issubclass(exceptions.UniquenessError, exceptions.IntegrityError)


def test_every_name_can_be_had_and_others_are_refused() -> None:
    assert common.LinkType is orm.LinkType
    assert common.StashMode is orm.StashMode
    for module in (common, tools, plugins):
        for name in dir(module):
            getattr(module, name)
        with pytest.raises(AttributeError):
            module.nonsense  # noqa: B018


def test_importing_a_place_brings_along_nothing_heavy() -> None:
    code = 'import ricordi.tools, ricordi.common, sys; print(*sys.modules)'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert {name for name in done.stdout.split() if name.startswith('ricordi')} == {
        'ricordi',
        'ricordi.common',
        'ricordi.tools',
    }


def test_values_are_hashed() -> None:
    assert make_hash({'a': [1, 2.0, None]}) == make_hash({'a': (1, 2.0, None)}) != make_hash({'a': [1, 2.5, None]})


def test_times_get_a_zone() -> None:
    naive, aware = datetime(2024, 1, 1), datetime(2024, 1, 1, tzinfo=UTC)
    assert timezone.make_aware(naive, UTC) == timezone.make_aware(aware) == timezone.localtime(aware) == aware
    assert timezone.make_aware(naive) == naive.astimezone()
    assert timezone.delta(aware, aware + timedelta(1)) == timedelta(1)
    assert timezone.delta(timezone.now()) < timedelta(hours=1)
    with pytest.raises(ValueError, match='zone'):
        timezone.localtime(naive)


def test_the_page_of_names_tells_what_is_there() -> None:
    page = (Path(__file__).parents[2] / 'docs' / 'python-names.md').read_text('utf-8')
    for name in ('delete_nodes', 'delete_group_nodes', 'create_archive', 'import_archive', 'GroupPath'):
        assert name in tools.__all__
    public = {*tools.__all__, *plugins.__all__, 'make_hash', 'make_aware', 'LinkType', 'StashMode'}
    assert {name for name in public if f'`{name}`' not in page} <= {
        'GroupNotFoundError',
        'InvalidPath',
        'NoGroupsInPathError',
    }
