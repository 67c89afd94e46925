"""What all checks of one verification share, and the way in which rows of a large table are looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from ricordi.backend.verification import Finding
from ricordi.errors import CorruptStorage, RicordiError
from ricordi.storage.verification.declared import Column, PartSort, SchemaPart
from ricordi.storage.verification.reader import DatabaseReader, Rows
from ricordi.storage.verification.tally import FindingTally


class Sizes(NamedTuple):
    """How much is named, and how much is looked at together.

    :param named: findings of a kind in each table; the others are counted.
    :param without_index: rows of a table that is read as a whole where it lacks the index to read it in pages by.
    :param buckets: so many ranges of primary keys, at most, are told apart where circles are looked for.
    :param widest: primary keys of ranges that are looked at as one.
    :param array: primary keys in a range, above which there are counts for single nodes only.
    :param sources: nodes whose links are asked for at a time.
    """

    named: int = 100
    without_index: int = 300_000
    buckets: int = 1 << 20
    widest: int = 1 << 21
    array: int = 30_000_000
    sources: int = 1000


USUAL_SIZES = Sizes()


class Look(NamedTuple):
    """One verification.

    :param there: what of the schema the database has.
    :param thorough: also do what takes long.
    :param repository_uuid: of the repository that the database is used with; None for one without, as of an archive.
    """

    reader: DatabaseReader
    tally: FindingTally
    there: set[SchemaPart]
    thorough: bool
    repository_uuid: str | None
    sizes: Sizes

    def has(self, table: str, *columns: str) -> bool:
        """Whether a table is there, with these columns; with all of the schema where none is given."""
        wanted = columns or tuple(self.reader.schema.columns[table])
        return all(SchemaPart(table, 'column', name) in self.there for name in wanted)

    def columns(self, table: str) -> list[Column]:
        """The columns of a table that are in the schema and there."""
        return [column for column in self.reader.schema.columns[table].values() if self.has(table, column.name)]

    def pages(self, table: str, key: str = 'id', within: range | None = None) -> Iterator[range]:
        """Ranges of a column of integers with all rows in them; a single one where a small table lacks the index.

        :raises ricordi.errors.CorruptStorage: a large one lacks it.
        """
        sort: PartSort = 'primary key' if key == 'id' else 'index'
        if SchemaPart(table, sort, key) in self.there:
            first, last = (None, None) if within is None else (within[0], within[-1])
            yield from self.reader.pages(table, key, first, last)
            return
        number, least, greatest = self.reader.rows(f'SELECT count(*), min({key}), max({key}) FROM {table}')[0]
        if number > self.sizes.without_index:
            raise CorruptStorage(f'table {table} has no index of {key}, without which this takes too long')
        if isinstance(least, int) and isinstance(greatest, int):
            yield range(least, greatest + 1) if within is None else within


class RowRule(NamedTuple):
    """A condition that no row of a table may meet.

    :param faulty: SQL that is true for a row with a fault, false for others, never NULL.
    :param wanted: SQL of what `describe` is called with.
    :param describe: what is wrong with a row, in words.
    :param nodes: SQL of the primary keys of the nodes that it is about.
    :param screen: a condition that each row with a fault meets, or that cannot be told of it, and few others meet; of
        several rules together it is told more quickly.
    """

    kind: str
    faulty: str
    describe: Callable[..., str]
    wanted: Sequence[str] = ()
    nodes: Sequence[str] = ()
    screen: str = ''


class RowSource(NamedTuple):
    """Where rows come from: a table and what is joined to it, with the row as `r`."""

    table: str
    joins: str = ''
    key: str = 'id'

    def select(self, what: str, condition: str) -> str:
        """A SELECT from it."""
        return f'SELECT {what} FROM {self.table} AS r {self.joins} WHERE {condition}'

    def within(self, page: range) -> str:
        """The condition that a row is in a page."""
        return f'r.{self.key} BETWEEN {page[0]} AND {page[-1]}'


def examine(look: Look, source: RowSource, rules: Sequence[RowRule]) -> Iterator[Finding]:
    """Look at all rows of a table once, page by page; where no row has a fault, a page costs one number."""
    if not rules:
        return
    query, slowly = (f'count(CASE WHEN {_any_fault(rules, screened)} THEN 1 END)' for screened in (True, False))
    pages = look.reader.rows_of_pages(
        look.pages(source.table, source.key), lambda page: source.select(query, source.within(page))
    )
    for page, found in pages:
        for part, number in _numbers(look, source, slowly, page, found):
            if number is None:
                detail, place = f'{_rows_of(part)} cannot be read', f'{part[0]}' + f'-{part[-1]}' * (len(part) > 1)
                yield from look.tally.found('unreadable rows', source.table, detail, place)
            elif number:
                yield from _name(look, source, rules, part)


def _any_fault(rules: Sequence[RowRule], screened: bool) -> str:
    """The condition that a row has one of the faults; rules with one screen stand together behind it."""
    screens: dict[str, list[str]] = {}
    for rule in rules:
        screens.setdefault(rule.screen if screened else '', []).append(f'({rule.faulty})')
    grouped = ((screen, ' OR '.join(faults)) for screen, faults in screens.items())
    return ' OR '.join(f'({screen} AND ({faults}))' if screen else faults for screen, faults in grouped)


def _rows_of(page: range) -> str:
    return 'a row' if len(page) == 1 else f'rows among primary keys {page[0]} to {page[-1]}'


def _numbers(
    look: Look, source: RowSource, query: str, page: range, found: Rows | RicordiError | None = None
) -> Iterator[tuple[range, int | None]]:
    """How many rows of a page are faulty; None of a part of it that cannot be read, as small as can be.

    :param found: what a quicker query says, which may fail for a row with a fault where `query` does not.
    """
    if found is not None and not isinstance(found, RicordiError):
        yield page, int(found[0][0])
        return
    if found is not None and look.reader.must_end(found):
        raise found
    try:
        yield page, int(look.reader.rows(source.select(query, source.within(page)))[0][0])
        return
    except RicordiError as error:
        if not look.reader.is_of_rows(error, source.select(query, f'r.{source.key} < {page[0]} AND 1 = 0')):
            raise
    if len(page) == 1 or not look.tally.room('unreadable rows', source.table):
        yield page, None
        return
    middle = len(page) // 2
    yield from _numbers(look, source, query, page[:middle])
    yield from _numbers(look, source, query, page[middle:])


def _name(look: Look, source: RowSource, rules: Sequence[RowRule], page: range) -> Iterator[Finding]:
    counts = ', '.join(f'count(CASE WHEN {rule.faulty} THEN 1 END)' for rule in rules)
    numbers = look.reader.rows(source.select(counts, source.within(page)))[0]
    for rule, number in zip(rules, numbers, strict=True):
        named = min(number, look.tally.room(rule.kind, source.table))
        if named:
            yield from _name_rows(look, source, rule, page, named)
        look.tally.count(rule.kind, source.table, number - named)


def _name_rows(look: Look, source: RowSource, rule: RowRule, page: range, most: int) -> Iterator[Finding]:
    what = ', '.join(('r.id', *rule.nodes, *rule.wanted))
    condition = f'{source.within(page)} AND ({rule.faulty}) ORDER BY r.id LIMIT {most}'
    for pk, *values in look.reader.rows(source.select(what, condition)):
        nodes = look.reader.nodes(values[: len(rule.nodes)])
        detail = rule.describe(*values[len(rule.nodes) :])
        yield from look.tally.found(rule.kind, source.table, detail, pk, nodes)


def shown(value: Any) -> str:
    """A value in a message: not too long, whatever it is."""
    text = value.decode(errors='backslashreplace') if isinstance(value, bytes) else str(value)
    return repr(text if len(text) <= 80 else f'{text[:80]}…')
