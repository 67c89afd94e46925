"""`ricordi storage locks` and `ricordi storage unlock`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.output import OutputColumn, write_list
from ricordi.cli.terminal.prompt import confirm
from ricordi.cli.terminal.times import local_time
from ricordi.cli.verb import format_option, option, verb, yes_option
from ricordi.errors import EntryPointError, InvalidOperation, LockedProfileError, StorageError

if TYPE_CHECKING:
    from ricordi.access import Holder
    from ricordi.backend.storage import DatabaseSession

COLUMNS = (
    OutputColumn('kind', 'Has'),
    OutputColumn('state', 'State'),
    OutputColumn('pid', 'PID'),
    OutputColumn('host', 'Host'),
    OutputColumn('user', 'User'),
    OutputColumn('since', 'Since', local_time),
    OutputColumn('purpose', 'For'),
    OutputColumn('command', 'Command'),
)
KEYS = ('kind', 'state', 'pid', 'host', 'user', 'command', 'since', 'purpose', 'path')


@verb('ricordi storage locks', 'ricordi -p main storage locks --format json')
@format_option()
def locks(session: CommandSession, output_format: str | None) -> int:
    """Show who uses or locks the profile.

    States: `live`; `stale`, of a process that has ended, which is no obstacle; `foreign`, of another host or container,
    which cannot be checked from here and counts as live until `storage unlock`. On PostgreSQL the sessions of other
    programs on the database are listed too.
    """
    from ricordi.services.locks import list_holders, list_sessions
    from ricordi.services.profiles.profiles import find_profile

    profile = find_profile(session.profile_name)
    rows = [_as_row(holder) for holder in list_holders(profile)]
    try:
        rows += [_session_as_row(connection) for connection in list_sessions(profile)]
    except (StorageError, EntryPointError) as error:
        session.tell(f'ricordi: warning: who is connected to the database cannot be told: {error}')
    if not rows and output_format in (None, 'table'):
        session.tell(f'Nobody uses profile `{profile.name}`.')
        return 0
    write_list(rows, COLUMNS, output_format, KEYS)
    return 0


@verb('ricordi storage unlock --dry-run', 'ricordi -p main storage unlock --yes')
@option('--dry-run', is_flag=True, help='Show what would be cleared and clear nothing.')
@yes_option('Do not ask before clearing the records of other hosts and containers.')
def unlock(session: CommandSession, dry_run: bool, yes: bool) -> int:
    """Clear access records and locks that nobody can check, such as those of other hosts.

    Records of processes that have ended are cleared too. Those of living processes stay: end the processes. Exits with
    5 where a living process goes on holding the lock.
    """
    from ricordi.services import locks as service
    from ricordi.services.profiles.profiles import find_profile

    profile = find_profile(session.profile_name)
    plan = service.plan_unlocking(profile)
    if not plan.cleared:
        session.tell(f'There is nothing to clear for profile `{profile.name}`.')
    elif dry_run:
        _tell(session, 'Would clear:', plan.cleared)
    else:
        if plan.uncheckable:
            _tell(
                session,
                'These are on other hosts or in other containers; nobody here can tell if they still run:',
                plan.uncheckable,
            )
            if not confirm('Have they all ended? If not, clearing their records can destroy data. Clear?', yes):
                raise InvalidOperation('nothing was cleared')
        _tell(session, 'Cleared:', service.unlock(profile).cleared)
    _refuse_living(plan.left)
    return 0


def _refuse_living(left: tuple[Holder, ...]) -> None:
    lockers = [holder for holder in left if holder.kind == 'lock']
    if lockers:
        raise LockedProfileError(f'still locked by a living process, which has to end first: {lockers[0]}')


def _tell(session: CommandSession, heading: str, holders: Iterable[Holder]) -> None:
    session.tell('\n'.join([heading, *(f'  - {holder.kind}: {holder}' for holder in holders)]))


def _as_row(holder: Holder) -> dict[str, Any]:
    return {
        'kind': holder.kind,
        'state': holder.state,
        'pid': holder.pid,
        'host': holder.host,
        'user': holder.user,
        'command': holder.command,
        'since': holder.since,
        'purpose': holder.purpose,
        'path': holder.path,
    }


def _session_as_row(connection: DatabaseSession) -> dict[str, Any]:
    return {
        'kind': 'session',
        'state': 'live',
        'pid': connection.pid,
        'host': connection.client,
        'user': connection.user,
        'command': connection.application,
        'since': connection.since,
        'purpose': '',
        'path': None,
    }
