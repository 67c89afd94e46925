"""How many links of a type a node has: two creators, two callers, two links of one label where there may be one."""

from __future__ import annotations

from collections.abc import Iterator

from ricordi.backend.rows import EntityKind
from ricordi.backend.verification import Finding
from ricordi.errors import RicordiError
from ricordi.model.links import LINK_RULES
from ricordi.storage.columns import columns
from ricordi.storage.verification.look import Look, shown
from ricordi.storage.verification.rows import LINKS

_COLUMNS = columns(EntityKind.LINK)
_SIDES = {'output_id': 'into', 'input_id': 'out of'}


def check_degrees(look: Look) -> Iterator[Finding]:
    """Find the nodes with more links of a type, or of a type and a label, than it allows; a pass for each end."""
    for end in _SIDES:
        by_label, alone = _types_unique_by(end, labelled=True), _types_unique_by(end, labelled=False)
        yield from _check(look, end, by_label, alone)


def _types_unique_by(end: str, labelled: bool) -> list[str]:
    """The types of which a node has one link at this end, or one of each label."""
    return [
        link_type.value
        for link_type, rule in LINK_RULES.items()
        for fields in rule.unique
        if [_COLUMNS[name] for name in fields if _COLUMNS[name] in _SIDES] == [end] and ('label' in fields) == labelled
    ]


def _check(look: Look, end: str, by_label: list[str], alone: list[str]) -> Iterator[Finding]:
    label = f'CASE WHEN type IN ({_listed(alone)}) THEN NULL ELSE label END' if alone else 'label'
    # the type in an expression, so that the index of the end is used and not that of the type
    which = f"FROM {LINKS} WHERE {end} BETWEEN {{}} AND {{}} AND coalesce(type, '') IN ({_listed(by_label + alone)})"
    groups = (
        f'SELECT {end} AS node, type, {label} AS name, count(*) AS number, min(id) AS first, max(id) AS last {which} '
        'GROUP BY 1, 2, 3 HAVING count(*) > 1'
    )
    # which nodes have two links alike is seen by the index, without sorting by label
    screen = (
        f'SELECT count(*) FROM (SELECT {end} {which} GROUP BY {end} '
        f"HAVING count(*) > 1 AND count(*) > count(DISTINCT type || coalesce({label}, ''))) AS found"
    )
    pages = look.reader.rows_of_pages(look.pages(LINKS, end), lambda page: screen.format(page[0], page[-1]))
    for page, found in pages:
        if isinstance(found, RicordiError):
            if not look.reader.is_of_rows(found, screen.format(1, 0)):
                raise found
            detail = f'links {_SIDES[end]} nodes {page[0]} to {page[-1]} cannot be read'
            yield from look.tally.found('unreadable rows', LINKS, detail)
        elif found[0][0]:
            yield from _name_all(look, end, groups.format(page[0], page[-1]))


def _name_all(look: Look, end: str, found: str) -> Iterator[Finding]:
    total, labelled = look.reader.rows(f'SELECT count(*), count(name) FROM ({found}) AS found')[0]
    yield from _name(look, end, found, 'too many links', total - labelled)
    yield from _name(look, end, found, 'duplicate link label', labelled)


def _listed(names: list[str]) -> str:
    return ', '.join(map(repr, names))


def _name(look: Look, end: str, found: str, kind: str, number: int) -> Iterator[Finding]:
    most = min(number, look.tally.room(kind, LINKS))
    which = 'NULL' if kind == 'too many links' else 'NOT NULL'
    query = f'SELECT * FROM ({found}) AS found WHERE name IS {which} ORDER BY 1, 2, 3 LIMIT {most}'
    for node, link_type, label, links, first, last in look.reader.rows(query) if most else ():
        of_label = '' if label is None else f' with the label {shown(label)}'
        detail = f'{links} links of type {link_type!r}{of_label} lead {_SIDES[end]} node {node}, and one may'
        place = f'{first}, {last}' if links == 2 else f'{first}, …, {last}'
        yield from look.tally.found(kind, LINKS, detail, place, look.reader.nodes([node]))
    look.tally.count(kind, LINKS, number - most)
