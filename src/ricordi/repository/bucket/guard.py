"""How the database itself keeps what nodes name: a table of references that triggers fill, tied by foreign keys."""

from __future__ import annotations

import psycopg
from psycopg import sql

from ricordi.model.file_trees import FILE
from ricordi.repository.bucket.database import IndexDatabase, Link
from ricordi.repository.bucket.scripts import script

TRIGGERS = ('ricordi_bucket_new_nodes', 'ricordi_bucket_changed_node')
"""By which the database notes what nodes name."""

_ANY_KEY = f'$.**.{FILE} ? (@.type() == "string")'
_WORKING = """
SELECT count(*) FROM pg_trigger
WHERE tgrelid = 'public.db_dbnode'::regclass AND tgname = ANY(%s) AND tgenabled IN ('O', 'A')
"""
_NAMED = """
FROM public.db_dbnode AS node CROSS JOIN LATERAL keys_of(node.repository_metadata) AS key
WHERE node.repository_metadata <> '{}'
"""
_THERE = 'EXISTS (SELECT 1 FROM objects AS o WHERE o.hash = key)'
_NOTE = f'INSERT INTO node_references (node, hash) SELECT node.id, key {_NAMED}'
_UNNOTED = f"""
SELECT count(*) {_NAMED} AND {_THERE}
AND NOT EXISTS (SELECT 1 FROM node_references AS r WHERE r.node = node.id AND r.hash = key)
"""
_SOME_NAMED = f'SELECT EXISTS (SELECT 1 {_NAMED})'


class NodeGuard:
    """What the database keeps by itself, of one store."""

    def __init__(self, database: IndexDatabase, schema: str) -> None:
        self._database = database
        self._schema = schema

    @property
    def has_nodes(self) -> bool:
        """Whether there are nodes in this database at all."""
        return self._database.rows("SELECT to_regclass('public.db_dbnode') IS NOT NULL") == [(True,)]

    @property
    def has_working_triggers(self) -> bool:
        """Whether what nodes name is noted from now on."""
        return self._database.rows(_WORKING, ([*TRIGGERS],)) == [(len(TRIGGERS),)]

    def unnoted(self) -> int:
        """How often it is not noted that a node names an object that is there."""
        ((number,),) = self._database.rows(_UNNOTED)
        return int(number)

    @property
    def is_incomplete(self) -> bool:
        """Whether nodes name, or named, objects that were missing, so that these could not be noted."""
        return self._database.rows('SELECT unnoted FROM store') != [(False,)]

    def lacking(self) -> int:
        """How often a node names an object that is not there."""
        ((number,),) = self._database.rows(f'SELECT count(*) {_NAMED} AND NOT {_THERE}')
        return int(number)

    def is_plainly_lost(self) -> bool:
        """Whether nothing is noted though nodes name something."""
        noted = self._database.rows('SELECT EXISTS (SELECT 1 FROM node_references)')
        return noted == [(False,)] and self._database.rows(_SOME_NAMED) == [(True,)]

    def make(self) -> None:
        """Have the database keep what each node names, those that are there at once; nothing where it does so.

        :raises ricordi.errors.IntegrityError: a node names an object that is not there.
        """

        def work(link: Link) -> None:
            self._lock(link)
            table = '"{}".node_references'.format(self._schema.replace('"', '""'))
            if link.execute('SELECT to_regclass(%s)', (table,)).fetchone() == (None,):
                self._create(link)
                link.execute(f'{_NOTE} ORDER BY key, node.id'.encode())
                link.execute('UPDATE store SET unnoted = false WHERE unnoted')

        self._database.once(work)

    def make_anew(self, if_complete: bool = False) -> int | None:
        """The same, whatever is there of it by now, as far as the objects are there; how often one is not.

        As long as some are not, the database does not know all that is named: that is noted, and keeps maintenance from
        taking anything for garbage.

        :param if_complete: do nothing, and return None, where one is not there.
        """

        def work(link: Link) -> int:
            self._lock(link)
            self._remove(link)
            self._create(link)
            link.execute(f'{_NOTE} AND {_THERE} ORDER BY key, node.id'.encode())
            ((left,),) = link.execute(f'SELECT count(*) {_NAMED} AND NOT {_THERE}'.encode()).fetchall()
            if left and if_complete:
                raise psycopg.Rollback
            link.execute('UPDATE store SET unnoted = %s', (left > 0,))
            return int(left)

        return self._database.once(work)

    def drop(self) -> None:
        """Have the database keep no more what nodes name; nothing where it does not."""

        def work(link: Link) -> None:
            self._lock(link)
            self._remove(link)

        self._database.transaction(work)

    def _lock(self, link: Link) -> None:
        link.execute('SELECT pg_advisory_xact_lock(hashtext(%s))', (f'{self._schema}.guard',))

    def _create(self, link: Link) -> None:
        # Who stores a node meanwhile waits, and is noted by the trigger.
        link.execute('LOCK TABLE public.db_dbnode IN SHARE ROW EXCLUSIVE MODE')
        link.execute(sql.SQL(script('guard.sql').decode()).format(keys=sql.Literal(_ANY_KEY)))

    def _remove(self, link: Link) -> None:
        link.execute('DROP FUNCTION IF EXISTS note_new_nodes, note_changed_node CASCADE')
        link.execute('DROP TABLE IF EXISTS node_references')
        link.execute('DROP FUNCTION IF EXISTS keys_of')
