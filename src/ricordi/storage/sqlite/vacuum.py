"""Vacuum and ANALYZE of a SQLite database: what there is to gain, the room it takes, and the work itself.

VACUUM rebuilds the database in a temporary file and copies it back under the protection of the ordinary journal: a
crash at any instant leaves the old content or the new. It is the journal and the temporary file that need free disk.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from ricordi.backend.maintenance import MaintenanceStep
from ricordi.errors import NotEnoughSpace
from ricordi.files import format_bytes, free_bytes
from ricordi.storage.session import Session

VACUUM = 'vacuum database'
ANALYZE = 'analyze database'
FEWEST_FREE_PAGES = 16
FEWEST_ROWS = 1000
STALE_RATIO = 1.25
_COUNTED_TABLES = ('db_dbnode', 'db_dblink', 'db_dbgroup_dbnodes')


def plan(session: Session, max_waste: float) -> tuple[MaintenanceStep, ...]:
    """The steps that have something to gain; `max_waste` is the percent of pages that may lie unused."""
    steps = []
    pages, free, size = (
        session.execute(f'PRAGMA {name}').fetchone()[0] for name in ('page_count', 'freelist_count', 'page_size')
    )
    if free >= FEWEST_FREE_PAGES and free * 100 > max_waste * pages:
        live = (pages - free) * size
        detail = f'{free} of {pages} pages are unused'
        steps.append(MaintenanceStep(VACUUM, detail, read=2 * live, write=2 * live, freed=free * size))
    stale = _tables_with_stale_statistics(session)
    if stale:
        steps.append(MaintenanceStep(ANALYZE, f'statistics of {", ".join(stale)} are missing or out of date'))
    return tuple(steps)


def space_for(path: Path, step: MaintenanceStep) -> dict[Path, int]:
    """Bytes of free disk that a step needs, by folder: beside the database, and where temporary files go."""
    if step.name != VACUUM:
        return {}
    copy = step.read // 2
    journal = copy + step.freed
    temporary = _temporary_folder()
    if temporary.stat().st_dev == path.parent.stat().st_dev:
        return {path.parent: journal + copy}
    return {path.parent: journal, temporary: copy}


def check_space(path: Path, step: MaintenanceStep) -> None:
    """See that a step will have the room it needs.

    :raises ricordi.errors.NotEnoughSpace: it will not.
    """
    for folder, need in space_for(path, step).items():
        free = free_bytes(folder)
        if free < need:
            raise NotEnoughSpace(
                f'to vacuum {path}, {format_bytes(need)} must be free under {folder}, and only {format_bytes(free)} '
                'are: make room (or set SQLITE_TMPDIR to a folder on a larger disk)'
            )


def carry_out(session: Session, step: MaintenanceStep) -> MaintenanceStep:
    """Do a planned step; what it freed is measured."""
    begin = time.monotonic()
    before = session.dialect.size(session)
    try:
        session.execute('VACUUM' if step.name == VACUUM else 'ANALYZE')
    finally:
        remove_journal(session)
    freed = max(0, before - session.dialect.size(session)) if step.name == VACUUM else 0
    return step._replace(freed=freed, seconds=time.monotonic() - begin)


def remove_journal(session: Session) -> None:
    """Remove a journal that was kept for the next change.

    Of VACUUM and ANALYZE SQLite counts no change by which the end of the connection would know of it; and a process
    that was killed has left its own.
    """
    mode = session.execute('PRAGMA journal_mode').fetchone()[0]
    if mode == 'persist':
        session.execute('PRAGMA journal_mode = DELETE')
        session.execute('PRAGMA journal_mode = PERSIST')


def _tables_with_stale_statistics(session: Session) -> list[str]:
    known: dict[str, int] = {}
    if session.execute("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'").fetchone():
        known = {
            table: int(stat.split()[0])
            for table, stat in session.execute(
                'SELECT tbl, max(stat) FROM sqlite_stat1 WHERE stat IS NOT NULL GROUP BY tbl'
            )
        }
    stale = []
    for table in _COUNTED_TABLES:
        rows = session.execute(f'SELECT count(*) FROM {table}').fetchone()[0]
        seen = known.get(table, 0)
        if rows >= FEWEST_ROWS and not rows / STALE_RATIO <= seen <= rows * STALE_RATIO:
            stale.append(table)
    return stale


def _temporary_folder() -> Path:
    """Where SQLite puts its temporary files: TMPDIR if it is set, else the first of its list that can be written."""
    chosen = tempfile.gettempdir()
    candidates = ('/var/tmp', '/usr/tmp', '/tmp') if chosen == '/tmp' else (chosen,)
    return next((Path(name) for name in candidates if os.access(name, os.W_OK)), Path.cwd())
