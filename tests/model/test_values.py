"""What a value may be: one answer for what is taken in from outside, and for what is kept."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest

from ricordi.errors import CorruptStorage, ValidationError
from ricordi.model import values
from ricordi.model.computers import settings_fault
from ricordi.model.values import DamagedJson, damaged_time, is_time_text, json_fault, may_be_odd
from ricordi.storage.values import encode_json, utc


@pytest.mark.parametrize(
    ('text', 'reason'),
    [
        ('{"a": ' + '9' * 4301 + '}', 'too many digits'),
        ('{"a": ' + '[' * 990 + ']' * 990 + '}', 'nested'),
        ('{"a": ' + '[' * 200 + ']' * 200 + '}', 'nested'),
        ('{"a": 1}\x00garbage', 'no JSON'),
        ('{"a": 1} garbage', 'no JSON'),
        ('{"a": "\\ud800"}', 'half a character'),
        ('{"\\udfff": 1}', 'half a character'),
        ('{"a": NaN}', 'NaN'),
        ('{"a": [1e999]}', 'too large'),
        ('{"a": -1e+400}', 'too large'),
        ('{"a": 1' + '0' * 400 + '.5}', 'too large'),
        ('{"a": "\n"}', 'no JSON'),
        ('[1]', 'no dictionary'),
        ('', 'no JSON'),
        (5, 'no text'),
        ('{"a": [' + '1,' * 2_000_000 + '1]}', 'elements'),
    ],
)
def test_json_that_cannot_be_read_again_is_told_with_the_reason(text: Any, reason: str) -> None:
    fault = json_fault(text)
    assert fault is not None
    assert reason in fault


@pytest.mark.parametrize(
    'text',
    [
        '{"a": ' + '9' * 4301 + '}',
        '{"a": ' + '[' * 200 + ']' * 200 + '}',
        '{"\\udfff": 1}',
        '{"a":[1e999]}',
        '{"a":\t-1.5E+309}',
        '{"a":-1e400}',
        '{"a": [0,1e999]}',
        '{"a": [\n1e999\r]}',
        '{"a": [[1.5e309]], "hash": "1e4a0"}',
        '{"a": [1,2e400], "b": "' + 'x' * 300 + '"}',
        '{"a": 1' + '0' * 400 + '.5}',
    ],
)
def test_what_a_database_takes_and_python_does_not_is_told_for_odd_unread(text: str) -> None:
    assert json_fault(text) is not None
    assert may_be_odd(text)


@pytest.mark.parametrize(
    'text',
    [
        '{}',
        '{"hash": "6de60f71ec32158755d6c0e559"}',
        '{"_aiida_hash": "1e999d5d9dc9f81818e811892f902bd23f0824128b2f330c5c7fd0a6a3a450"}',
        '{"a": [1e30, 2.5, "é"]}',
        '[1]',
    ],
)
def test_what_is_flat_and_without_signs_is_not_odd(text: str) -> None:
    assert not may_be_odd(text)


@pytest.mark.parametrize(
    'value',
    [
        {},
        {'a': 9 * 10**4298, 'b': [1e308, -1e-308, 2**80], 'c': '\U0001f980 \\ud800 \\u0000', 'd': 'e999' + '1' * 300},
        json.loads('{"a": ' * 199 + '{}' + '}' * 199),
    ],
)
def test_what_is_kept_is_taken_in(value: Any) -> None:
    assert json_fault(encode_json(value, 'value')) is None
    assert json_fault(json.dumps(value, ensure_ascii=False)) is None


@pytest.mark.parametrize(
    'value', [{'a': 10**4301}, {'a': '\ud800'}, {'\ud800': 1}, json.loads('{"a": ' * 300 + '1' + '}' * 300)]
)
def test_what_is_not_taken_in_is_not_kept(value: Any) -> None:
    with pytest.raises(ValidationError, match='value'):
        encode_json(value, 'value')


@pytest.mark.parametrize(
    ('text', 'sound'),
    [
        ('2026-01-01 10:00:00.000001', True),
        ('2026-01-01 10:00:00', True),
        ('2026-01-01', False),
        ('2026-01-01T10:00:00', False),
        ('2026-01-01 10:00', False),
        ('2026-01-01 10:00:00+00:00', False),
        ('2026-W01-1 10:00:00', False),
        ('2026-02-30 10:00:00', False),
        ('0001-01-01 00:00:00', False),
        ('9999-12-31 23:59:59', False),
        (5, False),
        (None, False),
    ],
)
def test_times_are_whole(text: Any, sound: bool) -> None:
    assert is_time_text(text) is sound


def test_times_without_room_for_another_zone_are_not_kept() -> None:
    with pytest.raises(ValidationError, match='too far away'):
        utc(datetime(9999, 12, 31, tzinfo=UTC), 'ctime')


@pytest.mark.parametrize(
    ('settings', 'named'),
    [
        ({'mpirun_command': 5}, 'mpirun_command'),
        ({'mpirun_command': ['x', 5]}, 'mpirun_command'),
        ({'workdir': []}, 'workdir'),
        ({'default_mpiprocs_per_machine': True}, 'default_mpiprocs_per_machine'),
    ],
)
def test_settings_of_computers_are_of_their_type(settings: Any, named: str) -> None:
    assert named in str(settings_fault(settings))
    assert settings_fault({'mpirun_command': ['mpirun'], 'workdir': '/x', 'shebang': None, 'other': {}}) is None


@pytest.mark.parametrize(
    'look',
    [
        lambda damaged: damaged['a'],
        lambda damaged: dict(damaged),
        lambda damaged: {**damaged},
        lambda damaged: json.dumps(damaged),
        lambda damaged: list(damaged),
        lambda damaged: damaged or {},
        lambda damaged: damaged.get('a'),
        lambda damaged: damaged | {'a': 1},
        lambda damaged: damaged == {},
    ],
)
def test_nobody_takes_damaged_json_for_an_empty_dictionary(look: Any) -> None:
    with pytest.raises(CorruptStorage, match='too deep'):
        look(DamagedJson('too deep'))


def test_a_damaged_time_is_shown_as_such_and_sorts_first() -> None:
    damaged = damaged_time()
    assert f'{damaged} {damaged:%Y} {damaged.isoformat()} {damaged.astimezone()}' == 'damaged damaged damaged damaged'
    assert damaged < datetime(2, 1, 1, tzinfo=UTC)
    assert pickle.loads(pickle.dumps(damaged)) == damaged


def test_looking_for_too_deep_nesting_ends_at_the_limit() -> None:
    assert values.is_too_deep([[], {'a': []}], 2)
    assert not values.is_too_deep([[], {'a': []}], 3)
