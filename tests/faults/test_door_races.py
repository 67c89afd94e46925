"""Processes that get or create the same at the same moment: one creates it, the others get it, none fails."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ricordi import orm
from ricordi.backend.rows import CommentRow, GroupNodeRow, GroupRow, NodeRow, UserRow
from ricordi.backend.rows import EntityKind as K
from ricordi.config import Profile
from ricordi.manager import get_config, get_manager, initialise_storage, load_profile, use_storage
from ricordi.services.archive.create import ArchiveRequest, create_archive
from ricordi.services.archive.importing import ImportRequest, import_archive

HERE = Path(__file__).parent
RACERS = 4
ROUNDS = 3
BRIEFING_SECONDS = 0.5
"""How long it takes to tell all racers when to begin."""


@pytest.fixture(params=['sqlite', 'psql'])
def profile(request: pytest.FixtureRequest, tmp_path: Path, empty_home: Path) -> Iterator[Profile]:
    """An empty profile `p` with a default user, on each database in turn; loaded."""
    storage: dict[str, Any] = {'filepath': str(tmp_path / 'p')}
    if request.param == 'psql':
        postgres = request.getfixturevalue('postgres')
        storage = postgres.storage_config(request.getfixturevalue('new_database')(), tmp_path / 'p')
    config = get_config(create=True)
    made = config.create_profile('p', f'core.{request.param}_dos', storage)
    initialise_storage(made)
    with use_storage(made) as opened:
        opened.insert(K.USER, [{'email': 'me@example.org'}])
    made.default_user_email = 'me@example.org'
    config.store()
    get_manager().unload_profile()
    load_profile('p')
    yield made
    get_manager().unload_profile()


def race() -> dict[str, list[list[list[Any]]]]:
    """What each racer was given at each door, round by round; each must end well."""
    pipes = dict.fromkeys(('stdin', 'stdout', 'stderr'), subprocess.PIPE)
    command = [sys.executable, str(HERE / 'race_doors.py')]
    racers = [
        subprocess.Popen([*command, str(number), str(ROUNDS)], text=True, **pipes)  # type: ignore[call-overload]
        for number in range(RACERS)
    ]
    for racer in racers:
        assert racer.stdout.readline() == 'ready\n', racer.stderr.read()
    begin = time.time() + BRIEFING_SECONDS
    for racer in racers:
        racer.stdin.write(f'{begin}\n')
        racer.stdin.flush()
    output = [racer.communicate(timeout=240) for racer in racers]
    for racer, (_, said) in zip(racers, output, strict=True):
        assert racer.returncode == 0, said
    given = [json.loads(told) for told, _ in output]
    return {door: [told[door] for told in given] for door in given[0]}


@pytest.mark.slow
def test_at_every_door_one_process_creates_and_the_others_get(profile: Profile) -> None:
    given = {'hostname': 'localhost', 'transport_type': 'core.local', 'scheduler_type': 'core.direct'}
    for number in range(ROUNDS):
        for first in ('d', 'e'):
            orm.Computer(f'{first}{number}', **given).store()
    nodes = [orm.Int(number).store() for number in range(300)]
    doors = race()
    for door, told in doors.items():
        for number in range(ROUNDS):
            assert len({pk for pk, _ in (rounds[number] for rounds in told)}) == 1
            made = [made for _, made in (rounds[number] for rounds in told)]
            if door.startswith('group') or door == 'user_of_shell':
                assert made.count(True) == 1, door
    storage = get_manager().get_profile_storage()
    for number in range(ROUNDS):
        told_of = orm.Computer.collection.get(label=f'e{number}').get_configuration()
        assert told_of == {f'key_{racer}': number for racer in range(RACERS)}
        told_of = orm.Computer.collection.get(label=f'd{number}').get_configuration()
        assert told_of == {'use_login_shell': number, 'safe_interval': number}
        assert storage.get_global_variable(f'key{number}') == [number]
        members = orm.Group.collection.get(label=f'm{number}').nodes
        assert sorted(node.pk for node in members) == sorted(node.pk for node in nodes)


@pytest.fixture
def archive(tmp_path: Path, profile: Profile) -> Path:
    """An archive of nodes with files, links, extras, comments, a computer and a group, of other users."""
    config = get_config()
    source = config.create_profile('source', 'core.sqlite_dos', {'filepath': str(tmp_path / 'source')})
    initialise_storage(source)
    with use_storage(source) as storage:
        users = storage.insert(K.USER, [{'email': f'{name}@example.org'} for name in ('ada', 'ben', 'me')])
        machine = {'label': 'machine', 'hostname': 'h', 'transport_type': 'core.local', 'scheduler_type': 'core.direct'}
        storage.insert(K.COMPUTER, [{**machine, 'metadata': {}}])
        keys = storage.repository.put_objects([b'content %d' % number for number in range(200)])
        rows = [
            {
                'node_type': 'data.core.singlefile.SinglefileData.',
                'repository_metadata': {'o': {'x': {'k': key}}},
                'user_pk': users[number % 3],
                'extras': {'n': number},
            }
            for number, key in enumerate(keys)
        ]
        pks = storage.insert(K.NODE, rows)
        (group,) = storage.insert(K.GROUP, [{'label': 'mine', 'type_string': 'core', 'user_pk': users[0]}])
        storage.add_nodes_to_group(group, pks[:50])
        storage.insert(K.COMMENT, [{'node_pk': pks[0], 'user_pk': users[1], 'content': 'seen'}])
    path = tmp_path / 'archive.aiida'
    create_archive(source, path, ArchiveRequest(everything=True))
    return path


@pytest.mark.slow
@pytest.mark.parametrize('options', [(), ('-G', 'all of it')], ids=['own group', 'named group'])
def test_imports_of_one_archive_at_once_all_succeed_and_bring_nothing_twice(
    profile: Profile, archive: Path, options: tuple[str, ...]
) -> None:
    get_manager().unload_profile()
    command = [sys.executable, '-m', 'ricordi', '-p', 'p', 'archive', 'import', str(archive), *options]
    importers = [
        subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) for _ in range(4)
    ]
    for importer in importers:
        _, said = importer.communicate(timeout=240)
        assert importer.returncode == 0, said
    with use_storage(profile) as storage:
        assert len(list(storage.find(NodeRow))) == 200
        assert len(list(storage.find(UserRow))) == 3
        assert len(list(storage.find(CommentRow))) == 1
        groups = {row.label: row.pk for row in storage.find(GroupRow)}
        assert len(groups) == (2 if options else 5)  # each import has a group of its own, unless one is named
        members = {row.group_pk: 0 for row in storage.find(GroupNodeRow)}
        assert set(members) == set(groups.values())
        assert len(list(storage.find(GroupNodeRow))) == 50 + 200 * (len(groups) - 1)


@pytest.mark.parametrize('profile', ['psql'], indirect=True)  # on SQLite nobody writes between the plan and the rows
def test_an_import_plans_anew_where_another_program_was_first(
    profile: Profile, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program, which takes no turn, stores a user of the archive after the plan was made."""
    from ricordi.storage.archive.merge import Merger

    plan = Merger.plan
    tries = []

    def plan_and_be_overtaken(merger: Merger) -> Any:
        planned = plan(merger)
        if not tries:
            with use_storage(profile) as other:
                other.insert(K.USER, [{'email': 'ada@example.org'}])
        tries.append(planned)
        return planned

    monkeypatch.setattr(Merger, 'plan', plan_and_be_overtaken)
    done = import_archive(profile, archive, ImportRequest())
    assert len(tries) == 2
    assert (done.new['user'], done.existing['user'], done.new['node']) == (1, 2, 200)
