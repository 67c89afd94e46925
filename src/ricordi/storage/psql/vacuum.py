"""Vacuum and ANALYZE of a PostgreSQL database, for the tables that have something to gain.

Plain VACUUM is meant: it makes the room of dead rows usable again and needs none itself. The server gives disk back to
the system only where dead rows lie at the end of a table.
"""

from __future__ import annotations

import time
from typing import NamedTuple

from ricordi.backend.maintenance import MaintenanceStep
from ricordi.model.fields import TABLES
from ricordi.storage.session import Session

VACUUM = 'vacuum database'
ANALYZE = 'analyze database'
FEWEST_ROWS = 1000
STALE_PART = 0.2

_STATISTICS = """
SELECT relname::text, n_live_tup, n_dead_tup, n_mod_since_analyze, last_analyze IS NULL AND last_autoanalyze IS NULL
FROM pg_stat_user_tables WHERE schemaname = current_schema() AND relname = ANY(%s) ORDER BY relname
"""


class TableState(NamedTuple):
    """What the server's statistics say about a table: rows that live, are dead, changed since ANALYZE."""

    name: str
    live: int
    dead: int
    changed: int
    never_analyzed: bool

    def wants_vacuum(self, max_waste: float) -> bool:
        """Whether more than `max_waste` percent of the rows are dead."""
        return self.dead >= FEWEST_ROWS and self.dead * 100 > max_waste * (self.live + self.dead)

    @property
    def wants_analyze(self) -> bool:
        """Whether the planner's picture of the table is missing or old."""
        if self.never_analyzed:
            return self.live >= FEWEST_ROWS
        return self.changed >= FEWEST_ROWS and self.changed > STALE_PART * self.live


def plan(session: Session, max_waste: float) -> tuple[MaintenanceStep, ...]:
    """The steps that have something to gain; `max_waste` is the percent of rows that may be dead."""
    states = _states(session)
    steps = []
    dead = [state for state in states if state.wants_vacuum(max_waste)]
    if dead:
        detail = ', '.join(f'{state.name}: {state.dead:,} dead rows beside {state.live:,}' for state in dead)
        steps.append(MaintenanceStep(VACUUM, detail))
    stale = [state for state in states if state.wants_analyze and state not in dead]
    if stale:
        names = ', '.join(state.name for state in stale)
        steps.append(MaintenanceStep(ANALYZE, f'statistics of {names} are missing or out of date'))
    return tuple(steps)


def carry_out(session: Session, step: MaintenanceStep, max_waste: float) -> MaintenanceStep:
    """Do a planned step; what it freed on disk is measured."""
    begin = time.monotonic()
    before = session.dialect.size(session)
    for state in _states(session):
        if step.name == VACUUM and state.wants_vacuum(max_waste):
            session.execute(f'VACUUM (ANALYZE) {state.name}')
        elif step.name == ANALYZE and state.wants_analyze:
            session.execute(f'ANALYZE {state.name}')
    freed = max(0, before - session.dialect.size(session))
    return step._replace(freed=freed, seconds=time.monotonic() - begin)


def _states(session: Session) -> list[TableState]:
    rows = session.execute(_STATISTICS, ([*TABLES.values(), 'db_dbsetting'],))
    return [TableState(*row) for row in rows]
