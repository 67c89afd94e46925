"""Values that no real row holds, for every column of every table."""

from __future__ import annotations

import random
from typing import Any

LONG = 1 << 20
MANY_OBJECTS = '{"a": [' + ','.join(['{}'] * LONG) + ']}'
LONG_TEXT = 'x' * LONG


def odd_value(chance: random.Random) -> Any:
    """One of them: of any type that SQLite keeps."""
    return chance.choice((_odd_json, _odd_json, _odd_text, _odd_time, _odd_other))(chance)


def _odd_json(chance: random.Random) -> Any:
    deep, digits = chance.choice((100, 201, 400, 990, 1500)), chance.choice((400, 4301, 5000))
    return chance.choice(
        (
            '{"a": ' + '9' * digits + '}',
            '{"value": ' + '9' * digits + '}',
            '{"a": ' + '[' * deep + ']' * deep + '}',
            '{"a": ' * deep + '1' + '}' * deep,
            '{"a": 1}\x00garbage',
            '{"a": 1} garbage',
            '{"a": "\\ud800"}',
            '{"\\udfff": 1}',
            '{"a": "\\u0000"}',
            '{"a": 1e999, "value": -1e999}',
            '{"a": NaN}',
            '{"a": 1' + '0' * 400 + '.0}',
            '[1, 2]',
            '"text"',
            'null',
            '5',
            '',
            '{',
            '{"mpirun_command": 5, "workdir": [], "shebang": {}}',
            '{"mpirun_command": [1, null], "default_mpiprocs_per_machine": "x"}',
            '{"process_label": 5, "process_state": ["x"], "exit_status": "y", "sealed": 7, "exit_message": {}}',
            '{"value": {"a": []}, "list": 5, "filename": [1], "array|x": "y", "remote_path": {}}',
            '{"filename": "../../x", "remote_path": "/etc", "input_plugin": 5, "filepath_executable": []}',
            '{"o": {"a": {"k": "../../etc/passwd"}}}',
            '{"o": {"..": {}, "a/b": {}, "": {}}}',
            '{"o": ' * deep + '{}' + '}' * deep,
            '{"o": [1]}',
            '{"\\u001b[31m": "\\u001b]0;x\\u0007", "a": "\\u202e"}',
            MANY_OBJECTS,
            '{"a": "' + LONG_TEXT + '"}',
        )
    )


def _odd_text(chance: random.Random) -> Any:
    return chance.choice(
        (
            LONG_TEXT,
            'a\x00b',
            '\x1b[31mred\x1b]0;title\x07',
            '\u202eabc\u2066',
            '🦀' * 300,
            '',
            ' ',
            '\n\n\r\t',
            '%s %d {} {0} $(x) `x`',
            "'; DROP TABLE db_dbnode; --",
            'data.core.int.Int',
            'data..',
            'process.',
            'process.calculation.calcjob.CalcJobNode.',
            'process.workflow.workchain.WorkChainNode.',
            'data.core.dict.Dict.',
            'data.core.enum.EnumData.',
            'data.core.array.ArrayData.',
            '/' * 50,
            '-1',
        )
    )


def _odd_time(chance: random.Random) -> Any:
    return chance.choice(
        (
            '2026-01-01',
            '2026-01-01T00:00:00',
            '2026-01-01 00:00:00.000000+05:00',
            '0001-01-01 00:00:00.000000',
            '9999-12-31 23:59:59.999999',
            '10000-01-01 00:00:00',
            '2026-02-30 00:00:00',
            '2026-W01-1 00:00:00',
            'now',
            1e300,
            20260101,
        )
    )


def _odd_other(chance: random.Random) -> Any:
    return chance.choice((None, 0, -1, 1, 2**63 - 1, -(2**63), 1.5, 1e308, b'', b'\xff\xfe\x00', b'x' * 5000, True))
