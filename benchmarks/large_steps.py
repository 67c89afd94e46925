"""The questions of large.py, each in a process of its own: `python large_steps.py ricordi|aiida NAME`."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable
from typing import Any

from clock import Clock

SECONDS, REPETITIONS = 3.0, 50
STATE, EXIT, HASH = 'attributes.process_state', 'attributes.exit_status', 'extras._aiida_hash'
ACTIVE = ('created', 'waiting', 'running')
ROWS = 1_000_000


class Questions:
    """Queries of either package: the names that both have."""

    def __init__(self, orm: Any) -> None:
        self.orm = orm
        self.makers: dict[str, Callable[[], Any]] = {
            'first ten by an indexed attribute': lambda: self.jobs({EXIT: 410}).limit(10),
            'active processes': lambda: self.ask(orm.ProcessNode, {STATE: {'in': list(ACTIVE)}}),
            'lookup of a hash': lambda: self.jobs({HASH: self.known_hash}),
            'newest ten of a type by ctime': lambda: self.newest(orm.CalcJobNode),
            'newest ten of a type by pk': lambda: self.newest(orm.CalcJobNode, 'id'),
        }
        self.counts: dict[str, Callable[[], Any]] = {
            'count by an indexed attribute': lambda: self.jobs({EXIT: 410}),
            'count by type': lambda: self.ask(orm.CalcJobNode),
        }

    @property
    def known_hash(self) -> str:
        """The hash of the first calculation."""
        found: str = self.ask(self.orm.CalcJobNode, project=HASH).limit(1).first()[0]
        return found

    def ask(self, cls: Any, filters: dict[str, Any] | None = None, project: Any = 'id') -> Any:
        """A query for nodes of a class."""
        query = self.orm.QueryBuilder()
        return query.append(cls, tag='n', filters=filters or {}, project=project)

    def jobs(self, filters: dict[str, Any]) -> Any:
        """A query for calculations."""
        return self.ask(self.orm.CalcJobNode, filters)

    def newest(self, cls: Any, order: str = 'ctime') -> Any:
        """The last ten in an order."""
        return self.ask(cls).order_by({'n': {order: 'desc'}}).limit(10)

    def columns(self) -> Any:
        """Five columns of many rows."""
        project = ['id', 'uuid', 'node_type', 'ctime', 'label']
        return self.ask(self.orm.Node, project=project).limit(ROWS)

    def steps(self) -> dict[str, Callable[[], int]]:
        """What is timed, by name; each gives the number of rows."""
        return {
            **{name: lambda make=make: len(make().all()) for name, make in self.makers.items()},
            **{name: lambda make=make: make().count() for name, make in self.counts.items()},
            'iterall': lambda: sum(1 for _ in self.columns().iterall(batch_size=1000)),
            'arrow': lambda: sum(batch.num_rows for batch in self.columns().arrow(batch_size=10_000)),
        }


def main() -> None:
    """Time the step that the command line names."""
    package, name = sys.argv[1:]
    questions = Questions(importlib.import_module(f'{package}.orm'))
    importlib.import_module(package).load_profile()
    if name == 'lookup of a hash':
        known = questions.known_hash
        questions.makers[name] = lambda: questions.jobs({HASH: known})
    step = questions.steps()[name]
    questions.newest(questions.orm.Node).all()
    rows = repetitions = 0
    clock, began = Clock(), time.perf_counter()
    while repetitions < REPETITIONS and time.perf_counter() - began < SECONDS:
        rows = step()
        repetitions += 1
    print(clock.stop(repetitions), rows)


if __name__ == '__main__':
    main()
