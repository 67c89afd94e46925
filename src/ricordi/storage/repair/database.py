"""Mending what a verification has found in a database, each fault in a transaction of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from ricordi.backend.repair import Mending, SetAside
from ricordi.errors import RicordiError
from ricordi.storage.repair.dangling import LOOSE_ENDS, find_dangling, remove_dangling
from ricordi.storage.repair.structure import statements_for

if TYPE_CHECKING:
    from ricordi.backend.verification import Finding
    from ricordi.storage.session import Session

DANGLING = 'dangling reference'
SEQUENCE = 'sequence behind'
WITH_LOSS = 'database with loss'

Keep = Callable[[str, Iterable[bytes]], str]
"""Writes pieces of a file of such a name, durably, and says where it is."""


def repair_database(
    session: Session, faults: Iterable[Finding], with_loss: bool, dry_run: bool, keep: Keep
) -> Iterator[Mending | SetAside]:
    """See `StorageBackend.repair_database`."""
    done: set[tuple[str, str]] = set()
    # Rows that go first: a constraint may be missing that forbids them.
    for fault in sorted(faults, key=lambda fault: fault.remedy != WITH_LOSS):
        table, _, name = fault.where.partition(' ')
        about = (fault.kind, table) if fault.remedy == WITH_LOSS else (fault.kind, fault.where)
        if about in done:
            continue
        done.add(about)
        if fault.remedy != WITH_LOSS:
            yield _mend_structure(session, fault, table, name, dry_run)
        elif fault.kind == DANGLING and table in LOOSE_ENDS:
            yield from _mend_dangling(session, table, with_loss, dry_run, keep)
        else:
            yield Mending(fault.kind, '', table, 'what should be there only a person knows')


def _mend_structure(session: Session, fault: Finding, table: str, name: str, dry_run: bool) -> Mending:
    statements = statements_for(session.dialect.name, fault.kind, table, name)
    if not statements:
        return Mending(fault.kind, '', fault.where, 'this kind of database cannot be given it afterwards')
    if not dry_run:
        try:
            with session.transaction():
                told = [session.execute(statement) for statement in statements]
            if fault.kind == SEQUENCE and told[0].fetchone() == (None,):
                return Mending(fault.kind, '', fault.where, 'there is no sequence that gives primary keys')
        except RicordiError as error:
            return Mending(fault.kind, '', fault.where, str(error).partition('; ')[0])
    return Mending(fault.kind, 'mend the database', fault.where, fault.detail)


def _mend_dangling(
    session: Session, table: str, with_loss: bool, dry_run: bool, keep: Keep
) -> Iterator[Mending | SetAside]:
    number = find_dangling(session, table)
    detail = f'{number:,} {"row that names" if number == 1 else "rows that name"} what is not there'
    if not with_loss:
        yield Mending(DANGLING, '', table, f'{detail}: they go only if a person says so')
        return
    if number and not dry_run:
        yield SetAside(remove_dangling(session, table, keep))
    yield Mending(DANGLING, 'take away rows of the database', table, detail)
