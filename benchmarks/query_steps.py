"""Twelve queries that people ask, timed; run by queries.py. The script is the same for both: only the import differs.

    AIIDA_PATH=HOME python benchmarks/query_steps.py ricordi|aiida QUERY

Prints the seconds and CPU seconds of one repetition, and how many rows came. A test holds the plans that databases
make for them.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

COLUMNS = ['id', 'uuid', 'node_type', 'label', 'ctime']
REPETITIONS, SECONDS = 20, 5


class Twelve:
    """Makes the queries, each a `QueryBuilder` ready to be asked.

    :param known: what is in the profile: `node` (pk of a calculation inside the graph), `uuid`, `group` (a label).
    """

    def __init__(self, orm: Any, known: Mapping[str, Any], **options: Any) -> None:
        self.orm = orm
        self.known = known
        self.options = options

    @property
    def makers(self) -> dict[str, Callable[[], Any]]:
        """The queries by name."""
        return {
            'columns': lambda: self.ask().append(self.orm.Node, project=COLUMNS),
            'attributes': lambda: self.ask().append(self.orm.Node, project=['id', 'attributes']),
            'by type': lambda: self.ask().append(self.orm.CalcJobNode, project='id'),
            'by uuid': lambda: self.ask().append(self.orm.Node, filters={'uuid': self.known['uuid']}),
            'by label': lambda: self.ask().append(self.orm.Group, filters={'label': self.known['group']}),
            'by start of label': lambda: self.ask().append(
                self.orm.Group, filters={'label': {'like': f'{self.known["group"][:5]}%'}}, project='id'
            ),
            'by state': lambda: self.ask().append(
                self.orm.ProcessNode, filters={'attributes.process_state': 'finished'}, project=COLUMNS
            ),
            'two hops': self.two_hops,
            'ancestors': lambda: self.walk('with_descendants'),
            'descendants': lambda: self.walk('with_ancestors'),
            'members': self.members,
            'latest': self.latest,
        }

    def ask(self) -> Any:
        """An empty query."""
        return self.orm.QueryBuilder(**self.options)

    def two_hops(self) -> Any:
        """Data, the calculations they went into, the dictionaries that came out."""
        orm = self.orm
        query = self.ask().append(orm.Data, tag='data', project='id')
        query.append(orm.CalcJobNode, tag='calc', with_incoming='data', project='id')
        return query.append(orm.Dict, with_incoming='calc', project='id')

    def walk(self, keyword: str) -> Any:
        """All that lies before or behind a node; the peer repeats nodes that are reached on several ways."""
        node = self.orm.Node
        query = self.ask().append(node, filters={'id': self.known['node']}, tag='n')
        return query.append(node, **{keyword: 'n'}, project='id').distinct()

    def members(self) -> Any:
        """The nodes of a group."""
        query = self.ask().append(self.orm.Group, filters={'label': self.known['group']}, tag='g')
        return query.append(self.orm.Node, with_group='g', project=['id', 'uuid'])

    def latest(self) -> Any:
        """The newest nodes."""
        query = self.ask().append(self.orm.Node, tag='n', project=['id', 'ctime'])
        return query.order_by({'n': {'ctime': 'desc'}}).limit(20)


def known_in(orm: Any) -> dict[str, Any]:
    """What there is to ask for in a profile."""
    query = orm.QueryBuilder().append(orm.CalcJobNode, tag='c', project=['id', 'uuid']).order_by({'c': 'id'})
    pk, uuid = query.offset(100).first()
    group = orm.QueryBuilder().append(orm.Group, tag='g', project='label').order_by({'g': 'id'}).first()[0]
    return {'node': pk, 'uuid': uuid, 'group': group}


def main() -> None:
    """Time the query that the command line names."""
    from clock import Clock  # the test of the plans loads this file alone

    package, name = sys.argv[1:]
    orm = importlib.import_module(f'{package}.orm')
    importlib.import_module(package).load_profile()
    make = Twelve(orm, known_in(orm)).makers[name]
    make().first()
    rows = repetitions = 0
    clock, began = Clock(), time.perf_counter()
    while repetitions < REPETITIONS and time.perf_counter() - began < SECONDS:
        rows = sum(1 for _ in make().iterall())
        repetitions += 1
    print(clock.stop(repetitions), rows)


if __name__ == '__main__':
    main()
