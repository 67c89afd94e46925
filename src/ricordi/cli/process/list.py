"""`ricordi process list`: the processes that fit, streamed as they come from the database."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from ricordi.cli.multiple import several
from ricordi.cli.opened import opened
from ricordi.cli.parameters import DAYS, GROUP, PROCESS_LABEL
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.colors import Tone, Toned
from ricordi.cli.terminal.output import OutputColumn, one_line, write_list
from ricordi.cli.terminal.streamed_table import write_raw, write_table
from ricordi.cli.terminal.times import local_time
from ricordi.cli.verb import format_option, option, order_direction_option, verb
from ricordi.model.node_types import ACTIVE_STATES
from ricordi.services.ages import ago_in_short
from ricordi.services.processes.names import PROJECTIONS, STATES

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend
    from ricordi.services.processes.list import Standing

WHICH = 'Which processes'
DEFAULT = ('pk', 'ctime', 'process_label', 'cached', 'state', 'process_status')
FOR_PROGRAMS = (
    *('pk', 'uuid', 'ctime', 'process_label', 'process_type', 'process_state', 'exit_status', 'exit_message'),
    *('paused', 'cached', 'process_status'),
)
"""What JSON and the like have of each process, where nothing else was asked for."""

_HEADINGS = {
    'pk': 'PK',
    'uuid': 'UUID',
    'ctime': 'Created',
    'mtime': 'Modified',
    'state': 'Process State',
    'cached': '♻',
}
_MARKS = {'created': '⏹', 'finished': '⏹', 'excepted': '⨯', 'killed': '☠', 'running': '⏵', 'waiting': '⏵'}
"""The signs that verdi puts before a state."""
_CACHED = '✔'


@verb(
    'ricordi process list',
    'ricordi process list -a -p 7',
    'ricordi process list -X -P pk process_label exit_status exit_message',
    'ricordi process list -q -S excepted | ricordi process report -',
)
@option('--all', '-a', 'all_entries', is_flag=True, group=WHICH, help='In any state.')
@several(
    '--process-state',
    '-S',
    'states',
    type=click.Choice(STATES),
    group=WHICH,
    metavar='STATE',
    help='In one of these states. [default: created running waiting]',
)
@option(
    '--process-label',
    '-L',
    'label',
    type=PROCESS_LABEL,
    group=WHICH,
    help='With this process label; % and _ make it a pattern.',
)
@option('--paused', is_flag=True, group=WHICH, help='That are paused.')
@option('--exit-status', '-E', type=int, group=WHICH, help='Finished with this exit status.')
@option('--failed', '-X', is_flag=True, group=WHICH, help='Finished with another exit status than 0.')
@option('--past-days', '-p', type=DAYS, group=WHICH, help='Made in the last so many days.')
@option('--group', '-G', type=GROUP, group=WHICH, help='Members of this group.')
@several(
    '--project',
    '-P',
    type=click.Choice(PROJECTIONS),
    metavar='FIELD',
    group='Output',
    help=f'What to show. [default: {" ".join(DEFAULT)}]',
)
@option(
    '--order-by',
    '-O',
    type=click.Choice(['ctime', 'id']),
    default='ctime',
    group='Output',
    help='Sort by this. [default: ctime]',
)
@order_direction_option()
@option('--limit', '-l', type=click.IntRange(min=0), group='Output', help='At most so many.')
@option('--raw', '-r', is_flag=True, group='Output', help='Bare values without heading, separated by tabs.')
@format_option()
def list_processes(
    session: CommandSession,
    all_entries: bool,
    states: tuple[str, ...],
    project: tuple[str, ...],
    order_by: str,
    order_direction: str,
    limit: int | None,
    raw: bool,
    output_format: str | None,
    **chosen: Any,
) -> int:
    """List processes: those that still run, unless told otherwise.

    FIELD is one of pk, uuid, ctime, mtime, state (with exit status), process_state, process_status, exit_status,
    exit_message, sealed, process_label, label, description, node_type, paused, process_type, job_state,
    scheduler_state, exception, cached, cached_from. With --quiet: the bare pks.
    """
    from ricordi.services.processes import list as service

    for_people = output_format in (None, 'table')
    bare = session.quiet and output_format is None and not raw
    fields = ('pk',) if bare else project or (DEFAULT if for_people else FOR_PROGRAMS)
    wanted = () if all_entries else states or ACTIVE_STATES
    with opened(session, 'process list') as storage:
        rows = service.list_processes(
            storage,
            service.ProcessChoice(wanted, **chosen),
            fields,
            'pk' if order_by == 'id' else order_by,
            descending=order_direction == 'desc',
            limit=limit,
        )
        if not for_people:
            write_list(_as_data(rows, fields), [OutputColumn(name, name) for name in fields], output_format)
            return 0
        texts = _as_texts(rows, fields)
        if bare or (raw and output_format is None):
            write_raw(texts)
            return 0
        counted = _Counted(texts)
        headings = [_HEADINGS.get(name, name.replace('_', ' ').capitalize()) for name in fields]
        write_table(iter(counted), headings, fields)
        sys.stdout.flush()  # what is told comes after the table, where both go to one place
        _tell_more(session, storage, counted, limit)
    return 0


class _Counted:
    """Rows of text that are counted as they pass, and those with the mark of what was taken from the cache."""

    def __init__(self, rows: Iterator[tuple[Any, ...]]) -> None:
        self._rows = rows
        self.count = self.cached = 0

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self

    def __next__(self) -> tuple[Any, ...]:
        row = next(self._rows)
        self.count += 1
        self.cached += _CACHED in row
        return row


def _tell_more(session: CommandSession, storage: StorageBackend, rows: _Counted, limit: int | None) -> None:
    """What verdi tells below the table, but for the daemon, which is not looked at."""
    from ricordi.services.processes.list import last_state_change

    if session.quiet:
        return
    cut = ', the limit; there may be more' if rows.count and rows.count == limit else ''
    session.tell(f'\nTotal results: {rows.count}{cut}\n')
    if rows.cached:
        session.tell(
            f'{_CACHED} under ♻ marks what was not run but taken from the cache; `-P pk cached_from` tells from where.'
        )
    changed = last_state_change(storage)
    if changed is None:
        session.tell('Last time a process changed its state: never in this profile')
    else:
        when = f'{ago_in_short(changed, datetime.now(UTC))} ({local_time(changed)})'
        session.tell(f'Last time a process changed its state: {when}')


# values ----------------------------------------------------------------------------------------------------


def _as_texts(rows: Iterator[tuple[Any, ...]], fields: Sequence[str]) -> Iterator[tuple[str, ...]]:
    now = datetime.now(UTC)
    shown: dict[str, Callable[[Any], str]] = {
        'ctime': lambda value: ago_in_short(value, now),
        'mtime': lambda value: ago_in_short(value, now),
        'state': state_as_text,
        'process_state': _capitalized,
        'cached': lambda value: _CACHED if value else '',
    }
    writers = [shown.get(name, _plain) for name in fields]
    return (tuple(write(value) for write, value in zip(writers, row, strict=True)) for row in rows)


def _plain(value: Any) -> str:
    """As verdi writes it: truth as a word of Python's."""
    return str(value) if isinstance(value, bool | int) else one_line(value)


def _capitalized(state: Any) -> str:
    return one_line(state).capitalize() or 'None'


def tone_of_state(state: Any, exit_status: Any) -> Tone | None:
    """Failed is bad; what has not ended is at work."""
    if state in ('excepted', 'killed') or (state == 'finished' and exit_status):
        return 'bad'
    return 'busy' if state in ACTIVE_STATES else None


def state_as_text(standing: Standing) -> str:
    """`⏹ Finished [0]`, `⏵ Running`, `⏸ Waiting` where it is paused."""
    state = standing.state if isinstance(standing.state, str) else ''  # a damaged row may hold anything
    mark = '⏸' if standing.paused and state in ('running', 'waiting') else _MARKS.get(state, '·')
    return Toned(f'{mark} {state_in_words(standing)}', tone_of_state(state, standing.exit_status))


def state_in_words(standing: Standing) -> str:
    """`Finished [0]`, `Running`."""
    if standing.state == 'finished' and standing.exit_status is not None:
        return f'Finished [{standing.exit_status}]'
    return _capitalized(standing.state)


def _as_data(rows: Iterator[tuple[Any, ...]], fields: Sequence[str]) -> Iterator[dict[str, Any]]:
    for row in rows:
        found = dict(zip(fields, row, strict=True))
        if 'state' in found:
            found['state'] = state_in_words(found['state'])
        yield found
