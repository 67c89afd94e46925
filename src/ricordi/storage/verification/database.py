"""The verification of a database: all checks, one after the other, none of which keeps the next from going on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from ricordi.backend.verification import DatabaseCheck, DatabaseChecks, Finding
from ricordi.storage.columns import row_words
from ricordi.storage.verification.look import USUAL_SIZES, Look, Sizes
from ricordi.storage.verification.reader import told
from ricordi.storage.verification.tally import FindingTally

if TYPE_CHECKING:
    from ricordi.storage.dialect import Dialect


_ROW_WORK = {'db_dbnode': 6.0, 'db_dblink': 1.5}


class Check(NamedTuple):
    """A part of the verification.

    :param words: what it looks at, for a message.
    :param work: how long it takes, in tenths of a second for 60,000 nodes as a rule; 0: see `DatabaseCheck`.
    """

    words: str
    run: Callable[[Look], Iterator[Finding]]
    work: float = 0.1


class SqlChecks(DatabaseChecks):
    """The checks of a SQL database, by a connection of its own that writes nothing."""

    def __init__(
        self,
        dialect: Dialect,
        repository_uuid: str | None,
        thorough: bool,
        check_stop: Callable[[], None],
        sizes: Sizes = USUAL_SIZES,
    ) -> None:
        """
        :param repository_uuid: of the repository that it is used with; None for the database of an archive.
        :param thorough: also what takes long: indexes against their tables, JSON read value by value.
        :param check_stop: raises when the work should end, which it then does with what was raised.
        :param sizes: of the findings that are named, and of what is looked at together.
        :raises ricordi.errors.UnreachableStorage: the database cannot be reached.
        """
        self._reader = reader = dialect.verification_reader(check_stop)
        self._look = Look(reader, FindingTally(sizes.named), set(), thorough, repository_uuid, sizes)
        try:
            self._of_parts = list(_guarded(self._look, Check('which tables there are', _find_parts)))
        except BaseException:
            reader.close()
            raise
        first = Check('which tables there are', lambda look: iter(self._of_parts), 0)
        self._checks = {check.words: check for check in (first, *_checks(self._look))}
        self.listed = tuple(DatabaseCheck(check.words, check.work) for check in self._checks.values())

    def begin(self) -> None:
        self._reader.begin_integrity(self._look.thorough)

    def run(self, check: DatabaseCheck) -> Iterator[Finding]:
        yield from _guarded(self._look, self._checks[check.name])

    def close(self) -> None:
        self._reader.close()


def verify(
    dialect: Dialect,
    repository_uuid: str | None,
    thorough: bool,
    check_stop: Callable[[], None],
    sizes: Sizes = USUAL_SIZES,
) -> Iterator[Finding]:
    """Look at the whole database; findings come as they are found. Arguments and errors as of `SqlChecks`."""
    with closing(SqlChecks(dialect, repository_uuid, thorough, check_stop, sizes)) as checks:
        yield from checks.all()


def _find_parts(look: Look) -> Iterator[Finding]:
    look.there.update(look.reader.found())
    yield from ()


def _checks(look: Look) -> Iterator[Check]:
    """What is looked at; of a database that cannot tell its tables, only the whole."""
    if look.there:
        yield from _checks_of_tables(look)
    yield Check('the integrity of the database', _check_integrity, 0)  # last, for it is done beside the others


def _checks_of_tables(look: Look) -> Iterator[Check]:
    from ricordi.storage.verification import contents, cycles, degrees, duplicates, names, rows, structure

    yield Check('the schema', structure.check_structure)
    yield Check('the schema revision', structure.check_version)
    yield Check('the repository of the database', structure.check_repository)
    yield Check('the sequences', _check_sequences)
    for table in (tables := _tables(look)):
        work = _ROW_WORK.get(table, 0.5)
        yield Check(f'the rows of kind {row_words(table)}', partial(rows.check_rows, table=table), work)
        yield Check(f'duplicates of kind {row_words(table)}', partial(duplicates.check_duplicates, table=table))
    if look.has(rows.LINKS):
        yield Check('how many links nodes have', degrees.check_degrees, 1.7)
        yield Check('circles of links', cycles.check_cycles)
    yield Check('the labels of links', names.check_link_labels)
    yield Check('labels', names.check_labels)
    yield Check('the settings of computers', names.check_settings)
    yield Check('file trees', contents.check_trees, 2)
    for table in tables if look.thorough else ():
        work = _ROW_WORK.get(table, 0.5)
        yield Check(f'the JSON of kind {row_words(table)}', partial(contents.check_json_closely, table=table), work)


def _tables(look: Look) -> list[str]:
    """The tables of the schema that are there, but for that of the revision, which has no primary keys of its own."""
    columns = look.reader.schema.columns
    return [table for table in columns if 'id' in columns[table] and look.has(table, 'id')]


def _check_integrity(look: Look) -> Iterator[Finding]:
    for fault in look.reader.integrity(look.thorough):
        yield from look.tally.found(fault.kind, fault.table, fault.detail)


def _check_sequences(look: Look) -> Iterator[Finding]:
    for fault in look.reader.sequences(_tables(look)):
        yield from look.tally.found(fault.kind, fault.table, fault.detail)


def _guarded(look: Look, check: Check) -> Iterator[Finding]:
    """A check; where it fails, that is a finding, unless nothing more can be found."""
    try:
        yield from check.run(look)
    except Exception as error:
        if look.reader.must_end(error):
            raise
        yield from look.tally.found('failed check', '', f'{check.words} could not be looked at: {told(error)}')
    yield from look.tally.rest()
