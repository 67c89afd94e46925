"""The kinds of finding that a verification of a database has: stable names, listed in docs/verify-database.md."""

from __future__ import annotations

from typing import NamedTuple

from ricordi.backend.verification import Cure

LOSS: Cure = 'database with loss'
"""Rows go, or values: what cannot be mended without taking something away."""


class Kind(NamedTuple):
    """What findings of a kind have in common.

    :param meaning: in words, as the documentation has it.
    :param remedy: what would mend them.
    :param notice: they are no damage.
    """

    meaning: str
    remedy: Cure = ''
    notice: bool = False


KINDS = {
    'damaged database': Kind('the database does not find its own file, or a table, in order'),
    'damaged index': Kind('an index and its table do not agree', 'database'),
    'unreadable rows': Kind('rows, or a whole page of them, cannot be read'),
    'missing table': Kind('a table of the schema is not there'),
    'missing column': Kind('a column of the schema is not there'),
    'missing index': Kind('an index of the schema is not there, or not valid', 'database'),
    'missing constraint': Kind(
        'a primary key, UNIQUE, NOT NULL or foreign key of the schema is not there, or was never checked', 'database'
    ),
    'sequence behind': Kind('the next row would get a primary key that is taken', 'database'),
    'schema version': Kind('the database does not tell its schema revision, or one that is not known'),
    'repository uuid': Kind('the database does not name its repository, or another one than it is used with'),
    'duplicate uuid': Kind('rows have the same uuid', LOSS),
    'duplicate value': Kind(
        'rows have the same value where the schema allows one: a label, an email, a membership', LOSS
    ),
    'dangling reference': Kind('a row names another one that is not there', LOSS),
    'missing value': Kind('there is no value (NULL) where there must be one'),
    'unreadable number': Kind('a primary key or a reference is no integer'),
    'unreadable text': Kind('a text is no text, or no UTF-8'),
    'unreadable uuid': Kind('a uuid is none'),
    'unreadable time': Kind('a time is none, or in a year that no program can tell'),
    'unreadable boolean': Kind('what is true or false is neither'),
    'unreadable JSON': Kind('JSON is none, cannot be read, or is no dictionary'),
    'file tree': Kind('the file tree of a node has a shape that is not known, so that what it names cannot be told'),
    'node type': Kind('a node is neither data nor a process'),
    'forbidden link': Kind('a link is of no known type, or joins nodes that its type may not join', LOSS),
    'too many links': Kind('a node has two creators or callers', LOSS),
    'duplicate link label': Kind('links of a node have the same label where their type forbids it', LOSS),
    'link cycle': Kind('links of data provenance and calls lead in a circle', LOSS),
    'computer setting': Kind('a setting of a computer is not of its type'),
    'unsealed process': Kind('a process has ended and is not sealed', notice=True),
    'odd label': Kind('a label of a link, group or computer that no new one may have', notice=True),
    'odd key': Kind('an attribute or extra has an empty name, or a period in it: no query finds it', notice=True),
    'odd JSON': Kind('JSON can be read here, but goes neither into an archive nor into every database', notice=True),
    'long text': Kind('a text is longer than PostgreSQL allows', notice=True),
    'failed check': Kind('a check could not be carried out; what it would have found is not known'),
}
