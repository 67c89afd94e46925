"""`ricordi presto`: from nothing to a working profile."""

from __future__ import annotations

from ricordi.cli.parameters import NEW_NAME
from ricordi.cli.session import CommandSession
from ricordi.cli.verb import option, verb
from ricordi.errors import UsageError


@verb('ricordi presto', 'ricordi presto -p work --email ada@example.org', on_profile=False)
@option(
    '-p',
    '--profile-name',
    type=NEW_NAME,
    metavar='NAME',
    help='The name of the new profile. [default: presto, presto-1, …]',
)
@option('--email', help='Email address of the default user. [default: that of the option autofill.user.email]')
@option('--use-postgres', is_flag=True, group='PostgreSQL', help='Make a database on a PostgreSQL server, not SQLite.')
@option('--postgres-hostname', default='localhost', show_default=True, group='PostgreSQL', help='Host of the server.')
@option('--postgres-port', type=int, default=5432, show_default=True, group='PostgreSQL', help='Port of the server.')
@option(
    '--postgres-username',
    default='postgres',
    show_default=True,
    group='PostgreSQL',
    help='An administrator of the server.',
)
@option('--postgres-password', group='PostgreSQL', help='Password of the administrator.')
@option('--use-zeromq', is_flag=True, help='Have AiiDA use its own broker with this profile; Ricordi needs none.')
@option('--no-broker', is_flag=True, hidden=True)
@option('-n/-I', '--non-interactive/--interactive', 'non_interactive', default=None, hidden=True)
@option(
    '--set-as-default/--no-set-as-default',
    default=None,
    help='Whether it becomes the default profile. [default: yes; on a terminal, asked where another one is]',
)
def presto(
    session: CommandSession,
    profile_name: str | None,
    email: str | None,
    use_postgres: bool,
    postgres_hostname: str,
    postgres_port: int,
    postgres_username: str,
    postgres_password: str | None,
    use_zeromq: bool,
    no_broker: bool,
    non_interactive: bool | None,
    set_as_default: bool | None,
) -> int:
    """Set up a profile on SQLite with one command.

    It becomes the default profile, with a default user and this machine as the computer `localhost`. Nothing is asked
    but whether it may take the place of another default profile, and that on a terminal alone. With --use-postgres,
    role and database are made by an administrator of the server.
    """
    from dataclasses import replace

    from ricordi.services.profiles import presto as service
    from ricordi.services.profiles.database import Administrator

    if use_zeromq and no_broker:
        raise UsageError('--use-zeromq and --no-broker contradict each other')
    broker = 'core.zeromq' if use_zeromq else None
    name = profile_name or session.profile_name or service.default_name()
    person = service.default_person()
    if email is not None:
        person = replace(person, email=email)
    before = service.default_profile_name()
    if before is not None and set_as_default is None:
        set_as_default = bool(non_interactive) or _may_replace(before, name)
    server = (postgres_hostname, postgres_port, postgres_username, postgres_password)
    administrator = Administrator(*server) if use_postgres else None
    done = service.presto(name, person, broker, administrator, set_as_default is not False)
    _tell(session, done.profile.name, person.email, before, done.is_default)
    return 0


def _may_replace(before: str, name: str) -> bool:
    """Ask whether the new profile becomes the default in the place of another; off a terminal it does."""
    from ricordi.cli.terminal.prompt import confirm, is_interactive

    return not is_interactive() or confirm(f'The default profile is `{before}`. Make `{name}` the default?', yes=False)


def _tell(session: CommandSession, name: str, email: str, before: str | None, is_default: bool) -> None:
    """Say what was made, whose place it has taken, and what comes next."""
    import shlex
    import sys

    from ricordi.cli.terminal.screen import width
    from ricordi.cli.terminal.table import detail_lines

    if not is_default:
        role = f'; the default profile is `{before}` as before'
    elif before is None:
        role = ', now the default profile'
    else:
        role = (
            f', now the default profile in the place of `{before}`\n'
            f'(back: `ricordi profile set-default {shlex.quote(before)}`)'
        )
    session.tell(f'Created profile `{name}` for {email}{role}.')
    program = 'ricordi' if is_default else f'ricordi -p {shlex.quote(name)}'
    nexts = [
        (f'  {program} archive import FILE', 'fill it from an archive or a URL'),
        (f'  {program} shell', 'Python with the profile loaded'),
        (f'  {program} status', 'whether all is well'),
    ]
    lines = detail_lines(nexts, width(sys.stderr))
    session.tell('\n'.join(['What comes next:', *lines, '  verdi works on it, too']))
