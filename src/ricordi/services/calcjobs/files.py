"""The files of a calculation job: those it was given, which are its own, and those that came back from it."""

from __future__ import annotations

from ricordi.backend.query import Comparison, Edge, EdgeKind, Field, Projection, Query, Vertex
from ricordi.backend.rows import EntityKind, NodeRow
from ricordi.backend.storage import StorageBackend
from ricordi.errors import InvalidOperation, NotExistent, ProblemsFound, UsageError
from ricordi.model.values import is_damaged
from ricordi.services.nodes.repository import list_files, read_file

INPUT, OUTPUT = 'input_filename', 'output_filename'
"""The options of a job that name the file a person wants to see most."""
RETRIEVED = 'retrieved'


def created_node(storage: StorageBackend, job_pk: int, label: str) -> NodeRow | None:
    """The node that a job has created under a label."""
    query = Query(
        (Vertex('job', EntityKind.NODE), Vertex('node', EntityKind.NODE)),
        (Edge('link', 'job', 'node', EdgeKind.LINK),),
        (
            ('job', Comparison(Field('pk'), '==', job_pk)),
            ('link', Comparison(Field('type'), '==', 'create')),
            ('link', Comparison(Field('label'), '==', label)),
        ),
        (Projection('node', None),),
        limit=1,
    )
    return next((row for (row,) in storage.query_rows(query)), None)


def retrieved_node(storage: StorageBackend, row: NodeRow) -> NodeRow:
    """The folder with what came back from a job.

    :raises ricordi.errors.NotExistent: nothing has come back.
    """
    found = created_node(storage, row.pk or 0, RETRIEVED)
    if found is None:
        raise NotExistent(f'nothing has come back from calculation job {row.pk}: it has no output {RETRIEVED!r}')
    return found


def default_file(row: NodeRow, holder: NodeRow, option: str) -> str:
    """The path of the file to show where none was named: that of an option of the job, or the only one there is.

    :param holder: the node with the files.
    :param option: `INPUT` or `OUTPUT`.
    :raises ricordi.errors.UsageError: there are several, and no option of the job names one.
    """
    named = _option(row, option)
    if named is not None:
        return named
    files = [entry.path for entry in list_files(holder) if not entry.is_folder]
    if len(files) == 1:
        return files[0]
    known = ', '.join(files) or 'none'
    raise UsageError(
        f'calculation job {row.pk} does not say which file is meant, having no option {option!r}: name one; '
        f'there are {known}'
    )


def retrieved_text(storage: StorageBackend, row: NodeRow, option: str) -> str | None:
    """The text of a file that came back, named by an option of the job; None where it did not.

    Where its content is missing or damaged, it is that in words: what else is known of the job is worth telling.
    """
    name = _option(row, option)
    folder = created_node(storage, row.pk or 0, RETRIEVED) if name else None
    if name is None or folder is None:
        return None
    try:
        content = b''.join(read_file(storage, folder, name))
    except (NotExistent, InvalidOperation, UsageError):
        return None
    except ProblemsFound as error:
        return f'({error})'
    return content.decode(errors='replace')


def _option(row: NodeRow, name: str) -> str | None:
    value = None if is_damaged(row.attributes) else row.attributes.get(name)
    return value if isinstance(value, str) and value else None
