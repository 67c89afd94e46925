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
@option('-n/-I', '--non-interactive/--interactive', 'non_interactive', default=True, hidden=True)
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
    non_interactive: bool,
) -> int:
    """Set up a profile on SQLite with one command and no question.

    It becomes the default profile, with a default user and this machine as the computer `localhost`. With
    --use-postgres, role and database are made by an administrator of the server.
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
    server = (postgres_hostname, postgres_port, postgres_username, postgres_password)
    done = service.presto(name, person, broker, Administrator(*server) if use_postgres else None)
    session.tell(f'Created profile `{done.profile.name}` for {person.email}, now the default profile.')
    return 0
