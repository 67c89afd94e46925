"""AiiDA accepts the storages that are created here, and reads in them what was written."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ricordi.backend.rows import EntityKind as K
from ricordi.backend.rows import NodeRow
from ricordi.config.profile import Profile

pytestmark = pytest.mark.interop

ATTRIBUTES = {'int': 2**60, 'float': 1e-300, 'large': 1e300, 'list': [1, None, {'ü': 'ß\n"'}], 'flag': True}


def write_rows(storage: Any) -> dict[str, Any]:
    """A node with all that can hang on it; returns what AiiDA should read of it."""
    moment = datetime(2024, 2, 29, 12, 30, 15, 500, tzinfo=UTC)
    key = storage.repository.put_object_from_bytes(b'content')
    with storage.transaction():
        user = storage.insert(K.USER, [{'email': 'a@example.org', 'first_name': 'Ada'}])[0]
        computer = storage.insert(K.COMPUTER, [{'label': 'here', 'hostname': 'h', 'metadata': {'workdir': '/tmp'}}])[0]
        storage.insert(K.AUTHINFO, [{'user_pk': user, 'computer_pk': computer, 'auth_params': {'a': 1}}])
        data = {
            'user_pk': user,
            'node_type': 'data.core.dict.Dict.',
            'label': 'mine',
            'ctime': moment,
            'mtime': moment,
            'attributes': ATTRIBUTES,
            'extras': {'e': 1},
            'repository_metadata': {'o': {'file.txt': {'k': key}}},
        }
        process = {'user_pk': user, 'node_type': 'process.calculation.calcfunction.CalcFunctionNode.'}
        node, calculation = (storage.insert(K.NODE, [row])[0] for row in (data, process))
        storage.insert(K.LINK, [{'input_pk': node, 'output_pk': calculation, 'label': 'x', 'type': 'input_calc'}])
        group = storage.insert(K.GROUP, [{'label': 'g', 'type_string': 'core', 'user_pk': user}])[0]
        storage.add_nodes_to_group(group, [node])
        storage.insert(K.COMMENT, [{'node_pk': node, 'user_pk': user, 'content': 'good'}])
        storage.insert(K.LOG, [{'node_pk': calculation, 'levelname': 'REPORT', 'message': 'm', 'time': moment}])
    return {'key': key, 'ctime': str(moment), 'uuid': storage.get(NodeRow, node).uuid}


def test_aiida_reads_what_was_written(
    profile: Profile, of: SimpleNamespace, aiida_dump: Callable[..., str], tmp_path: Path
) -> None:
    of.initialise(profile)
    with closing(of.open(profile)) as storage:
        expected = write_rows(storage)
    home = tmp_path / 'aiida' / '.aiida'
    home.mkdir(parents=True)
    config = {
        'CONFIG_VERSION': {'CURRENT': 9, 'OLDEST_COMPATIBLE': 9},
        'default_profile': 'test',
        'profiles': {'test': {**profile.dictionary, 'default_user_email': 'a@example.org', 'options': {}}},
        'options': {},
    }
    (home / 'config.json').write_text(json.dumps(config))
    dump = json.loads(aiida_dump(home, 'test'))
    node = next(row for row in dump['nodes'] if row['uuid'] == expected['uuid'])
    assert node['attributes'] == ATTRIBUTES
    assert (node['ctime'], node['mtime'], node['extras']) == (expected['ctime'], expected['ctime'], {'e': 1})
    assert dump['objects'] == {expected['key']: [expected['key'], 7]}
    counts = {
        name: len(dump[name]) for name in ('users', 'nodes', 'links', 'groups', 'group_nodes', 'authinfos', 'logs')
    }
    assert counts == {'users': 1, 'nodes': 2, 'links': 1, 'groups': 1, 'group_nodes': 1, 'authinfos': 1, 'logs': 1}
    assert [comment['content'] for comment in dump['comments']] == ['good']
