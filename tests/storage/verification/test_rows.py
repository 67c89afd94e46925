"""Rows that no program may have written: each kind of damage is found, with the right row, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from tests.storage.verification.conftest import places, verified

from ricordi.model.links import LINK_RULES
from ricordi.storage.verification import degrees
from ricordi.storage.verification.on_sqlite import SqliteReader

Change = Callable[[Any, list[str]], None]


class Damage(NamedTuple):
    """Statements that do harm, and what is found of it.

    :param found: kind, table and row, nodes.
    """

    statements: list[str]
    found: list[tuple[str, str, list[int]]]


BOTH = {
    'a link to nowhere': Damage(
        ["INSERT INTO db_dblink (input_id, output_id, type, label) VALUES (1, 99, 'input_calc', 'z')"],
        [('dangling reference', 'db_dblink 9', [1])],
    ),
    'a link from nowhere': Damage(
        ["INSERT INTO db_dblink (input_id, output_id, type, label) VALUES (99, 8, 'create', 'z')"],
        [('dangling reference', 'db_dblink 9', [8])],
    ),
    'a membership of a node that is gone': Damage(
        ['INSERT INTO db_dbgroup_dbnodes (dbnode_id, dbgroup_id) VALUES (99, 1)'],
        [('dangling reference', 'db_dbgroup_dbnodes 5', [])],
    ),
    'a membership in a group that is gone': Damage(
        ['INSERT INTO db_dbgroup_dbnodes (dbnode_id, dbgroup_id) VALUES (1, 99)'],
        [('dangling reference', 'db_dbgroup_dbnodes 5', [1])],
    ),
    'a comment on nothing': Damage(
        ['UPDATE db_dbcomment SET dbnode_id = 99 WHERE id = 2'], [('dangling reference', 'db_dbcomment 2', [])]
    ),
    'a comment by nobody': Damage(
        ['UPDATE db_dbcomment SET user_id = 99 WHERE id = 2'], [('dangling reference', 'db_dbcomment 2', [2])]
    ),
    'a log of nothing': Damage(
        ['UPDATE db_dblog SET dbnode_id = 99 WHERE id = 1'], [('dangling reference', 'db_dblog 1', [])]
    ),
    'an authinfo of nobody': Damage(
        ['UPDATE db_dbauthinfo SET aiidauser_id = 99 WHERE id = 2'], [('dangling reference', 'db_dbauthinfo 2', [])]
    ),
    'an authinfo for no computer': Damage(
        ['UPDATE db_dbauthinfo SET dbcomputer_id = 99 WHERE id = 2'], [('dangling reference', 'db_dbauthinfo 2', [])]
    ),
    'a group of nobody': Damage(
        ['UPDATE db_dbgroup SET user_id = 99 WHERE id = 1'], [('dangling reference', 'db_dbgroup 1', [])]
    ),
    'a node of nobody': Damage(
        ['UPDATE db_dbnode SET user_id = 99 WHERE id = 4'], [('dangling reference', 'db_dbnode 4', [4])]
    ),
    'a node on no computer': Damage(
        ['UPDATE db_dbnode SET dbcomputer_id = 99 WHERE id = 4'], [('dangling reference', 'db_dbnode 4', [4])]
    ),
    'a node that is neither data nor process': Damage(
        ["UPDATE db_dbnode SET node_type = 'node.Thing.' WHERE id = 7"], [('node type', 'db_dbnode 7', [7])]
    ),
    'a node type without its last dot': Damage(
        ["UPDATE db_dbnode SET node_type = 'data.core.int.Int' WHERE id = 7"], [('node type', 'db_dbnode 7', [7])]
    ),
    'a process that ended and is not sealed': Damage(
        ["""UPDATE db_dbnode SET attributes = '{"process_state": "killed"}' WHERE id = 4"""],
        [('unsealed process', 'db_dbnode 4', [4])],
    ),
    'a process sealed by something that is not true': Damage(
        ["""UPDATE db_dbnode SET attributes = '{"process_state": "finished", "sealed": false}' WHERE id = 4"""],
        [('unsealed process', 'db_dbnode 4', [4])],
    ),
    'attributes that are a list': Damage(
        ["UPDATE db_dbnode SET attributes = '[1]' WHERE id = 3"], [('unreadable JSON', 'db_dbnode 3', [3])]
    ),
    'extras that are a text': Damage(
        ["""UPDATE db_dbnode SET extras = '"a"' WHERE id = 3"""], [('unreadable JSON', 'db_dbnode 3', [3])]
    ),
    'metadata that are null': Damage(
        ["UPDATE db_dblog SET metadata = 'null' WHERE id = 2"], [('unreadable JSON', 'db_dblog 2', [2])]
    ),
    'a file tree with a file of two keys': Damage(
        ["""UPDATE db_dbnode SET repository_metadata = '{"o": {"a": {"k": "x", "o": {}}}}' WHERE id = 3"""],
        [('file tree', 'db_dbnode 3', [3])],
    ),
    'a file tree that leads out of its folder': Damage(
        ["""UPDATE db_dbnode SET repository_metadata = '{"o": {"..": {}}}' WHERE id = 3"""],
        [('file tree', 'db_dbnode 3', [3])],
    ),
    'a file tree that is a list': Damage(
        ["UPDATE db_dbnode SET repository_metadata = '[]' WHERE id = 3"], [('file tree', 'db_dbnode 3', [3])]
    ),
    'a setting of a computer that is of another type': Damage(
        ["""UPDATE db_dbcomputer SET metadata = '{"workdir": 5}' WHERE id = 2"""],
        [('computer setting', 'db_dbcomputer 2', [])],
    ),
    'an unknown type of link': Damage(
        ["UPDATE db_dblink SET type = 'inputlink' WHERE id = 1"], [('forbidden link', 'db_dblink 1', [1, 2])]
    ),
    'a workflow that creates': Damage(
        ["UPDATE db_dblink SET type = 'create' WHERE id = 8"],
        [('forbidden link', 'db_dblink 8', [6, 5]), ('too many links', 'db_dblink 4, 8', [5])],
    ),
    'a calculation that calls': Damage(
        ["INSERT INTO db_dblink (input_id, output_id, type, label) VALUES (2, 4, 'call_calc', 'z')"],
        [('forbidden link', 'db_dblink 9', [2, 4]), ('too many links', 'db_dblink 7, 9', [4])],
    ),
    'a link from data to data': Damage(
        ["INSERT INTO db_dblink (input_id, output_id, type, label) VALUES (7, 8, 'input_calc', 'z')"],
        [('forbidden link', 'db_dblink 9', [7, 8])],
    ),
    'a link to itself': Damage(
        ["INSERT INTO db_dblink (input_id, output_id, type, label) VALUES (6, 6, 'call_work', 'z')"],
        [('forbidden link', 'db_dblink 9', [6])],
    ),
    'two creators': Damage(
        ["INSERT INTO db_dblink (input_id, output_id, type, label) VALUES (4, 3, 'create', 'z')"],
        [('too many links', 'db_dblink 2, 9', [3]), ('link cycle', 'db_dblink 9', [3, 4])],
    ),
    'two callers': Damage(
        ["INSERT INTO db_dblink (input_id, output_id, type, label) VALUES (6, 2, 'call_calc', 'z')"],
        [('too many links', 'db_dblink 6, 9', [2])],
    ),
    'two inputs of one label': Damage(
        ["INSERT INTO db_dblink (input_id, output_id, type, label) VALUES (7, 4, 'input_calc', 'x')"],
        [('duplicate link label', 'db_dblink 3, 9', [4])],
    ),
    'two outputs of one label': Damage(
        ["INSERT INTO db_dblink (input_id, output_id, type, label) VALUES (4, 8, 'create', 'y')"],
        [('duplicate link label', 'db_dblink 4, 9', [4])],
    ),
    'two returned of one label': Damage(
        ["INSERT INTO db_dblink (input_id, output_id, type, label) VALUES (6, 3, 'return', 'y')"],
        [('duplicate link label', 'db_dblink 8, 9', [6])],
    ),
    'a label of a link that none may have': Damage(
        ["UPDATE db_dblink SET label = 'a b' WHERE id = 3"], [('odd label', 'db_dblink 3', [])]
    ),
    'a label of a group without letters': Damage(
        ["UPDATE db_dbgroup SET label = ' ' WHERE id = 2"], [('odd label', 'db_dbgroup 2', [])]
    ),
    'no repository': Damage(
        ["DELETE FROM db_dbsetting WHERE key = 'repository|uuid'"], [('repository uuid', 'db_dbsetting', [])]
    ),
    'another repository': Damage(
        ["""UPDATE db_dbsetting SET val = '"other"' WHERE key = 'repository|uuid'"""],
        [('repository uuid', 'db_dbsetting 1', [])],
    ),
    'an older schema revision': Damage(
        ["UPDATE alembic_version SET version_num = 'main_0001'"], [('schema version', 'alembic_version', [])]
    ),
    'an unknown schema revision': Damage(
        ["UPDATE alembic_version SET version_num = 'main_9999'"], [('schema version', 'alembic_version', [])]
    ),
    'two schema revisions': Damage(
        ["INSERT INTO alembic_version VALUES ('main_0001')"], [('schema version', 'alembic_version', [])]
    ),
}

ONLY_SQLITE = {
    'attributes that are no JSON': Damage(
        ["UPDATE db_dbnode SET attributes = '{' WHERE id = 3"], [('unreadable JSON', 'db_dbnode 3', [3])]
    ),
    'attributes that are bytes': Damage(
        ["UPDATE db_dbnode SET attributes = x'00ff' WHERE id = 3"],
        [('unreadable JSON', 'db_dbnode 3', [3]), ('unreadable text', 'db_dbnode 3', [3])],
    ),
    'extras with half of a character in UTF-8': Damage(
        ["""UPDATE db_dbnode SET extras = CAST(x'7b2261223a2022c3227d' AS TEXT) WHERE id = 3"""],
        [('unreadable text', 'db_dbnode 3', [3])],
    ),
    'a file tree that is no JSON': Damage(
        ["""UPDATE db_dbnode SET repository_metadata = '{"o": {' WHERE id = 3"""], [('file tree', 'db_dbnode 3', [3])]
    ),
    'a label that is no UTF-8': Damage(
        ["UPDATE db_dbgroup SET label = CAST(x'ff61' AS TEXT) WHERE id = 2"],
        [('unreadable text', 'db_dbgroup 2', [])],
    ),
    'a label of a link that is no UTF-8': Damage(
        ["UPDATE db_dblink SET label = CAST(x'ff61' AS TEXT) WHERE id = 3"], [('unreadable text', 'db_dblink 3', [])]
    ),
    'a description that is bytes': Damage(
        ["UPDATE db_dbnode SET description = x'6162' WHERE id = 8"], [('unreadable text', 'db_dbnode 8', [8])]
    ),
    'a uuid that is none': Damage(
        ["UPDATE db_dbnode SET uuid = 'x' WHERE id = 8"], [('unreadable uuid', 'db_dbnode 8', [8])]
    ),
    'a uuid in capitals': Damage(
        ['UPDATE db_dbgroup SET uuid = upper(uuid) WHERE id = 1'], [('unreadable uuid', 'db_dbgroup 1', [])]
    ),
    'a time that is none': Damage(
        ["UPDATE db_dbnode SET mtime = 'yesterday' WHERE id = 8"], [('unreadable time', 'db_dbnode 8', [8])]
    ),
    'a day that is none': Damage(
        ["UPDATE db_dbcomment SET ctime = '2023-02-30 00:00:00.000000' WHERE id = 2"],
        [('unreadable time', 'db_dbcomment 2', [2])],
    ),
    'a time with a zone': Damage(
        ["UPDATE db_dbnode SET ctime = '2023-02-20 00:00:00.00000Z' WHERE id = 8"],
        [('unreadable time', 'db_dbnode 8', [8])],
    ),
    'a time that is a number': Damage(
        ['UPDATE db_dbgroup SET time = 5 WHERE id = 2'], [('unreadable time', 'db_dbgroup 2', [])]
    ),
    'a letter of a uuid that has come to the time after it': Damage(
        ['UPDATE db_dbcomment SET ctime = substr(uuid, 36) || ctime, uuid = substr(uuid, 1, 35) WHERE id = 2'],
        [('unreadable uuid', 'db_dbcomment 2', [2]), ('unreadable time', 'db_dbcomment 2', [2])],
    ),
    'a uuid that is bytes': Damage(
        ['UPDATE db_dbgroup SET uuid = CAST(uuid AS BLOB) WHERE id = 1'], [('unreadable uuid', 'db_dbgroup 1', [])]
    ),
    'a 29th of February that there was not': Damage(
        ["UPDATE db_dblog SET time = '2023-02-29 00:00:00.000000' WHERE id = 1"],
        [('unreadable time', 'db_dblog 1', [2])],
    ),
    'a time that is no UTF-8': Damage(
        ["UPDATE db_dbnode SET mtime = CAST(x'ff61' AS TEXT) WHERE id = 8"], [('unreadable time', 'db_dbnode 8', [8])]
    ),
    'neither true nor false': Damage(
        ['UPDATE db_dbauthinfo SET enabled = 2 WHERE id = 1'], [('unreadable boolean', 'db_dbauthinfo 1', [])]
    ),
    'a reference that is a text': Damage(
        ["UPDATE db_dblink SET output_id = 'five' WHERE id = 8"],
        [('unreadable number', 'db_dblink 8', [6]), ('dangling reference', 'db_dblink 8', [6])],
    ),
    'a setting that is no JSON': Damage(
        ["INSERT INTO db_dbsetting (key, val, description, time) VALUES ('a', 'x', '', '2023-02-20 00:00:00.000000')"],
        [('unreadable JSON', 'db_dbsetting 2', [])],
    ),
    'a label that is too long elsewhere': Damage(
        [f"UPDATE db_dbnode SET label = '{'x' * 256}' WHERE id = 8"], [('long text', 'db_dbnode 8', [8])]
    ),
    'an empty name of a computer': Damage(
        ["UPDATE db_dbcomputer SET label = '' WHERE id = 1"], [('odd label', 'db_dbcomputer 1', [])]
    ),
}

ONLY_PSQL = {
    'a time without an end': Damage(
        ["UPDATE db_dbnode SET mtime = 'infinity' WHERE id = 8"], [('unreadable time', 'db_dbnode 8', [8])]
    ),
    'a time before Christ': Damage(
        ["UPDATE db_dblog SET time = '0100-01-01 BC' WHERE id = 1"], [('unreadable time', 'db_dblog 1', [2])]
    ),
    'a sequence that is behind': Damage(
        ["SELECT setval('db_dbnode_id_seq', 3)", "SELECT setval('db_dbgroup_id_seq', 1, false)"],
        [('sequence behind', 'db_dbnode', []), ('sequence behind', 'db_dbgroup', [])],
    ),
}
NOTICES = {'unsealed process', 'odd label', 'long text'}


def as_found(findings: list[Any]) -> set[tuple[str, str, tuple[int, ...]]]:
    return {(one.kind, one.where, tuple(pk for pk, _, _ in one.nodes)) for one in findings}


def check(storage: Any, change: Change, damage: Damage) -> None:
    uuids = dict(storage.session.execute('SELECT id, uuid FROM db_dbnode').fetchall())
    change(storage, damage.statements)
    findings = verified(storage)
    assert as_found(findings) == {(kind, where, tuple(nodes)) for kind, where, nodes in damage.found}
    assert [one.notice for one in findings] == [one.kind in NOTICES for one in findings]
    assert all(one.detail for one in findings)
    if not any('UPDATE db_dbnode SET uuid' in statement for statement in damage.statements):
        assert all(uuids[pk] == uuid for one in findings for pk, uuid, _ in one.nodes)


@pytest.mark.parametrize('name', BOTH)
def test_damage_is_found_on_each_database(filled: Any, change: Change, name: str) -> None:
    check(filled, change, BOTH[name])


@pytest.mark.parametrize('name', ONLY_SQLITE)
def test_damage_that_sqlite_lets_in_is_found(filled_sqlite: Any, change: Change, name: str) -> None:
    check(filled_sqlite, change, ONLY_SQLITE[name])


@pytest.mark.parametrize('name', ONLY_PSQL)
def test_damage_that_postgresql_lets_in_is_found(filled_psql: Any, change: Change, name: str) -> None:
    check(filled_psql, change, ONLY_PSQL[name])


def test_how_many_links_there_may_be_is_looked_at_by_every_rule() -> None:
    looked_at = [
        (link_type, end, labelled)
        for end in ('input_id', 'output_id')
        for labelled in (False, True)
        for link_type in degrees._types_unique_by(end, labelled)
    ]
    rules = [
        (link_type.value, fields[0].replace('_pk', '_id'), 'label' in fields)
        for link_type, rule in LINK_RULES.items()
        for fields in rule.unique
    ]
    assert sorted(looked_at) == sorted(rules)


def test_all_damage_at_once_is_found_as_each_alone(filled_sqlite: Any, change: Change) -> None:
    chosen = [BOTH[name] for name in ('a comment on nothing', 'a group of nobody', 'two callers', 'no repository')]
    for damage in chosen:
        change(filled_sqlite, damage.statements)
    expected = {(kind, where) for damage in chosen for kind, where, _ in damage.found}
    assert places(verified(filled_sqlite)) == expected


@pytest.mark.parametrize('rows', [1, 3])
def test_what_is_wrong_in_any_page_is_found_by_whichever_connection_reads_it(
    filled_sqlite: Any, change: Change, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    change(
        filled_sqlite,
        [
            "UPDATE db_dbnode SET label = CAST(x'ff' AS TEXT) WHERE id = 2",
            "UPDATE db_dbnode SET description = x'61' WHERE id = 3",
            'UPDATE db_dbnode SET ctime = 5 WHERE id = 5',
            "UPDATE db_dbnode SET uuid = '٣' || substr(uuid, 2) WHERE id = 6",
            "UPDATE db_dbnode SET extras = CAST(x'7b2261223a22ff227d' AS TEXT) WHERE id = 8",
            "UPDATE db_dbnode SET repository_metadata = '[]' WHERE id = 7",
        ],
    )
    expected = places(verified(filled_sqlite))
    assert {int(where.split()[1].rstrip(',')) for _, where in expected if 'dbnode' in where} >= {2, 3, 5, 6, 7, 8}
    monkeypatch.setattr(SqliteReader, 'page_rows', rows)
    assert places(verified(filled_sqlite)) == expected


ODD = {
    'deep': ('{"a": ' + '[' * 250 + ']' * 250 + '}', 'odd JSON'),
    'too deep': ('{"a": ' + '[' * 990 + ']' * 990 + '}', 'odd JSON'),
    'half a character': ('{"a": "\\ud800"}', 'odd JSON'),
    'infinite': ('{"a": 1e999}', 'odd JSON'),
    'many digits': ('{"a": ' + '1' * 4400 + '}', 'unreadable JSON'),
    'a period': ('{"a.b": 1}', 'odd key'),
    'an escaped period': ('{"a\\u002eb": 1}', 'odd key'),
    'no name': ('{"": 1}', 'odd key'),
}
ONLY_ODD_ON_SQLITE = {'half a character', 'infinite'}
"""PostgreSQL does not let the one in, and writes the other with all its digits."""


@pytest.mark.parametrize('name', ODD)
def test_thoroughly_json_is_read_as_python_reads_it(filled: Any, change: Change, name: str) -> None:
    text, kind = ODD[name]
    if filled.dialect.name != 'sqlite' and name in ONLY_ODD_ON_SQLITE:
        return
    change(filled, [f"UPDATE db_dbnode SET attributes = '{text}' WHERE id = 3"])
    assert verified(filled) == []
    found = verified(filled, thorough=True)
    assert [(one.where, one.nodes[0][0]) for one in found] == [('db_dbnode 3', 3)]
    assert found[0].kind in {kind, 'unreadable JSON'} if name == 'too deep' else found[0].kind == kind
