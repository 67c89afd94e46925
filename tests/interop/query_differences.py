"""Where Ricordi answers otherwise than AiiDA 2.9.4 does, on either of its databases, and why Ricordi is right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Query = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """A row of the table.

    :param applies: whether a query is of this sort.
    :param is_filter: whether the rows are those that the model of filters in plain Python gives: this is then checked.
    """

    name: str
    reason: str
    applies: Callable[[Query], bool]
    is_filter: bool = False


def _kind(*kinds: str) -> Callable[[Query], bool]:
    return lambda query: query['kind'] in kinds


def _text(query: Query) -> str:
    return str(query['path'])


def _options(query: Query) -> list[Any]:
    """The options of all projections."""
    specs = [spec for vertex in query['path'] for spec in vertex.get('project', []) if isinstance(spec, dict)]
    return [options for spec in specs for options in spec.values()]


_FILTERED = ('json', 'json index', 'combined', 'count', 'absent', 'large number')

DIFFERENCES = [
    Difference(
        'negation of contains, has_key and of_type where there is no key',
        'AiiDA lets a negated comparison match nodes that lack the key (`!==`, `!in`, `!like`, `!of_length` …), and so '
        'does Ricordi. A negated `contains` matches none of them in AiiDA; a negated `has_key` or `of_type` does on '
        'SQLite and does not on PostgreSQL; where the value is null, `contains` differs so. In Ricordi one rule holds '
        'for all: a negation matches whatever the comparison does not match.',
        lambda query: (
            query['kind'] in _FILTERED
            and ('!' in _text(query) or '~' in _text(query))
            and any(operator in _text(query) for operator in ('contains', 'has_key', 'of_type'))
        ),
        is_filter=True,
    ),
    Difference(
        'integers of more than 64 bits',
        'AiiDA raises (OverflowError on SQLite, DataError on PostgreSQL). Ricordi compares them as floats.',
        lambda query: query['kind'] == 'large number' and '60221407' in _text(query),
        is_filter=True,
    ),
    Difference(
        'large floats inside of lists',
        'AiiDA stores 6.02214076e23 as the integer 602214075999999987023872, and looks for it inside of lists by the '
        'digits of the float (`==`; on PostgreSQL `contains`, too): it does not find what it has stored. Ricordi does.',
        lambda query: query['kind'] == 'large number' and '[6.02214076e+23]' in _text(query),
        is_filter=True,
    ),
    Difference(
        'comparison of JSON with None',
        'AiiDA looks for an object (PostgreSQL) or raises (SQLite). Ricordi: the key is missing or its value is null.',
        _kind('json null'),
        is_filter=True,
    ),
    Difference(
        'several operators beside one another inside `or`',
        "`{'or': [{'>': 5, '<': 8}, {'==': 70}]}`: AiiDA joins all three by OR. Everywhere else what stands beside one "
        'another in a dictionary must all hold, and so it does here in Ricordi.',
        lambda query: "'or': [{'>': 5, '<': 8}" in _text(query),
        is_filter=True,
    ),
    Difference(
        'outer joins',
        'AiiDA joins links and memberships by an inner join, and filters the missing partner by its type: rows without '
        'one are lost, which are what an outer join is for. Ricordi keeps them; filters say what counts as a partner.',
        _kind('outer join'),
    ),
    Difference(
        'fields of walks',
        'AiiDA 2.9.4 raises AttributeError for filters and projections on the edges of with_ancestors and '
        'with_descendants.',
        lambda query: query['kind'] == 'walk' and ("'edge_project': ['" in _text(query) or "'depth':" in _text(query)),
    ),
    Difference(
        'casts to another type',
        'What is not of the type is cast to None. AiiDA raises (PostgreSQL) or makes a number of a text (SQLite).',
        _kind('cast'),
    ),
    Difference(
        'min',
        'AiiDA gives the maximum for min.',
        lambda query: any(options.get('func') == 'min' for options in _options(query)),
    ),
    Difference(
        'avg',
        'AiiDA has no avg.',
        lambda query: any(options.get('func') == 'avg' for options in _options(query)),
    ),
    Difference(
        'order by a cast',
        'What is not of the type, or not there, comes last (first when descending), on both databases. AiiDA raises on '
        'PostgreSQL for a number with a fraction; on SQLite it takes true for 1.',
        lambda query: query['kind'] == 'order' and "'cast'" in str(query['order_by']),
    ),
    Difference(
        'AbstractCode',
        'AiiDA finds all data for the class that codes have in common, Ricordi the codes.',
        lambda query: "'AbstractCode'" in _text(query),
    ),
]
