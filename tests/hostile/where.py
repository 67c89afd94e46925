"""The door of filters as a person types them: `node list --where`, and what else names fields."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import ClassVar

from hostile.runner import Case, Door

FIELDS = [
    *['id', 'pk', 'uuid', 'label', 'ctime', 'mtime', 'user', 'computer', 'node_type', 'process_type', 'attributes'],
    *[
        'attributes.value',
        'extras.tags',
        'attributes.l.0.-1',
        'extras',
        'repository_metadata',
        'attributes.' + '9' * 5000,
    ],
    *['attributes.', '.', '..', 'a..b', 'attributes.\udcff', "'attributes.a b'", '"label"', '""', "''", 'nonsense'],
    *['attributes.' + 'k' * 70_000, 'attributes.' + '.'.join('x' * 300), 'attributes.a\\.b', "attributes.a'b", '*'],
    *['user.email', 'computer.label', 'not', 'and', 'or', 'null', '5', '-', 'id; DROP TABLE db_dbnode', 'attributes.é'],
]
OPERATORS = [
    *['==', '=', '!=', '<>', '<', '<=', '>', '>=', 'in', 'like', 'ilike', 'contains', 'has_key', 'of_type'],
    *['of_length', 'longer', 'shorter', 'not in', 'not like', 'not', '===', '~', 'IN', 'Like', 'nonsense', ''],
]
VALUES = [
    *[
        '0',
        '-1',
        '3',
        '2.5',
        "'x'",
        'true',
        'null',
        '9' * 20,
        '9' * 400,
        '9' * 5000,
        '1e308',
        '1e309',
        '-1e400',
        'inf',
        'nan',
        '1e',
        '.5',
        '5.',
    ],
    *["'x'", '"x"', "'", '"', "'\\'", "'%'", "'%" + 'a%' * 30_000 + "'", "'" + '%' * 60_000 + "'", "'\\%'", 'run%'],
    *[
        'true',
        'false',
        'null',
        'none',
        'NULL',
        '[]',
        '[1]',
        '[1, 2, 3]',
        "['a', 'b']",
        '[null]',
        '[[1]]',
        '[',
        ']',
        '[,]',
    ],
    *[
        '[' + ', '.join(['1'] * 40_000) + ']',
        '[' * 500 + ']' * 500,
        '(',
        ')',
        '2026-01-01',
        '99999-01-01',
        '0000-00-00',
    ],
    *['2026-02-30', '2026-01-01T00:00:00+99:99', 'now', 'yesterday', '\udcff', '\x1b[2J', '\u202e', 'a\\', '١٢', '²'],
    *['{}', '{"a": 1}', 'array', 'object', 'number', 'x' * 100_000, 'me@example.org', 'localhost', "'; --", ''],
]
MARKS = ['(', ')', 'and', 'or', 'not', ',', '[', ']', '!', '&&', ';', '--', '\n', '\t', '\x00']
FORMATS = ['table', 'json', 'jsonl', 'csv', 'yaml', 'nonsense']
TOGETHER = 50


class Where(Door):
    """Filters, orders and projections of lists."""

    name: ClassVar = 'where'
    cases_in_ci: ClassVar = 180
    on_postgres: ClassVar = True

    def set_up(self) -> None:
        self.profile.make()

    def cases(self, chance: random.Random, seed: int) -> Iterator[Case]:
        for number in range(TOGETHER):
            words = ['--where', a_filter(chance)]
            for _ in range(chance.choice((0, 0, 0, 1, 2))):
                words += chance.choice(
                    (
                        ('--where', a_filter(chance)),
                        ('--order-by', mostly(chance, FIELDS, 14)),
                        ('--project', mostly(chance, FIELDS, 14)),
                        ('--format', mostly(chance, FORMATS, 5)),
                        ('--past-days', chance.choice(VALUES)),
                        ('--limit', chance.choice(VALUES)),
                        ('--type', chance.choice((*FIELDS, *VALUES))),
                        ('--ancestor-of', chance.choice(('1', '57', *VALUES))),
                    )
                )
            yield Case(
                f'seed {seed}, case {number}', ('-p', 'p', 'node', 'list', *(word.replace('\0', '') for word in words))
            )


def a_filter(chance: random.Random) -> str:
    """A text: mostly one that follows the grammar as far as its words go."""
    if chance.random() < 0.05:
        return chance.choice(
            ('(' * 3000 + 'id == 1' + ')' * 3000, 'not ' * 5000 + 'id == 1', 'id==1 and ' * 3000 + 'id==1')
        )
    if chance.random() < 0.15:
        words = [chance.choice((*FIELDS, *OPERATORS, *VALUES, *MARKS)) for _ in range(chance.randint(0, 8))]
        return chance.choice(('', ' ')).join(words)
    return _some(chance, chance.choice((0, 0, 1, 2, 3)))


def _some(chance: random.Random, depth: int) -> str:
    if not depth:
        field = mostly(chance, FIELDS, 14) if chance.random() < 0.5 else 'attributes.x'  # which takes any value
        operator = mostly(chance, OPERATORS, 17)
        fitting = ['[1]', '[1, 2, 3]', "['a', 'b']", '[]'] if operator.endswith('in') else VALUES
        return f'{field} {operator} {chance.choice(fitting if chance.random() < 0.8 else VALUES)}'
    left, right = _some(chance, depth - 1), _some(chance, depth - 1)
    return chance.choice((f'({left}) and ({right})', f'{left} or {right}', f'not ({left})', f'({left} or not {right})'))


def mostly(chance: random.Random, words: list[str], good: int) -> str:
    """One of the first ones, which make sense; sometimes any."""
    return chance.choice(words[:good] if chance.random() < 0.9 else words)
