"""`ricordi user`: list, configure, set-default."""

from __future__ import annotations

import click

from ricordi.cli.parameters import USER
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.output import OutputColumn, keys_of, write_list
from ricordi.cli.terminal.prompt import is_interactive
from ricordi.cli.terminal.questions import Question, answer, question_options
from ricordi.cli.verb import format_option, option, verb
from ricordi.errors import UsageError
from ricordi.model.people import checked_email

COLUMNS = (
    OutputColumn('default', '', lambda default: '*' if default else ''),
    OutputColumn('email', 'Email'),
    OutputColumn('first_name', 'First name'),
    OutputColumn('last_name', 'Last name'),
    OutputColumn('institution', 'Institution'),
)


_NAMES = ('first_name', 'last_name', 'institution')


@verb('ricordi user list', 'ricordi -p main user list --format csv')
@format_option()
def list_users(session: CommandSession, output_format: str | None) -> int:
    """List the users of the storage.

    The default user is marked with a star. With --quiet: the bare addresses.
    """
    from dataclasses import asdict

    from ricordi.services import user as service
    from ricordi.services.profiles.profiles import find_profile

    users = service.list_users(find_profile(session.profile_name))
    if session.quiet and output_format is None:
        print('\n'.join(user.email for user in users))
    else:
        write_list(map(asdict, users), COLUMNS, output_format, keys_of(service.UserSummary))
    return 0


@verb('ricordi user configure --email ada@example.org --first-name Ada --last-name Lovelace --set-default -n')
@option('--email', type=USER, help='Who: the address tells users apart. [default: the default user]')
@option('--first-name', help='First name.')
@option('--last-name', help='Last name.')
@option('--institution', help='Institution.')
@option('--set-default', is_flag=True, help='Make it the default user of the profile.')
@question_options()
def configure(
    session: CommandSession, config: str | None, non_interactive: bool | None, set_default: bool, **given: str | None
) -> int:
    """Add a user or change one.

    What is not given stays as it is.
    """
    from ricordi.services import user as service
    from ricordi.services.person import Person
    from ricordi.services.profiles.profiles import find_profile

    profile = find_profile(session.profile_name)
    known = {user.email: user for user in service.list_users(profile)}

    def as_it_is(key: str) -> Question:
        label = key.replace('_', ' ').capitalize()
        return Question(key, label, lambda values: getattr(known.get(values['email']), key, ''), required=False)

    questions = (Question('email', 'Email address', profile.default_user_email, check=checked_email),)
    names = tuple(as_it_is(key) for key in _NAMES)
    values = answer((*questions, *names), given, config, non_interactive)
    person = Person(*(values[key] or '' for key in ('email', *_NAMES)))
    before = known.get(person.email)
    if before is not None and all(getattr(before, key) == getattr(person, key) for key in _NAMES) and not set_default:
        nothing_said = config is None and all(given[key] is None for key in _NAMES)
        if nothing_said and (non_interactive or not is_interactive()):
            raise UsageError(
                f'nothing was said that would change user {person.email}, so nothing was changed: give --first-name, '
                '--last-name, --institution or --set-default (and --email for another user)'
            )
        session.tell(f'User {person.email} is so already: nothing was changed.')
        return 0
    is_new = service.configure_user(profile, person, set_default)
    done = 'Added' if is_new else 'Changed'
    session.tell(f'{done} user {person.email}' + (', now the default user.' if set_default else '.'))
    return 0


@verb('ricordi user set-default ada@example.org')
@click.argument('user', type=USER)
def set_default(session: CommandSession, user: str) -> int:
    """Make a user the default one of the profile."""
    from ricordi.services.profiles.profiles import find_profile
    from ricordi.services.user import set_default_user

    session.refuse_archive()
    profile = find_profile(session.profile_name)
    set_default_user(profile, user)
    session.tell(f'{user} is now the default user of profile `{profile.name}`.')
    return 0
