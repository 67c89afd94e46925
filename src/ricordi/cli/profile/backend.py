"""`ricordi profile use-backend`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ricordi.cli.parameters import PROFILE
from ricordi.cli.storage.storage import WAIT
from ricordi.cli.terminal.signals import stopping
from ricordi.cli.verb import verb
from ricordi.progress import Stop

if TYPE_CHECKING:
    from ricordi.cli.session import CommandSession
    from ricordi.services.profiles.backend_name import Family


@verb(
    'ricordi profile use-backend main ricordi',
    'ricordi profile use-backend main core --wait 10m',
    on_profile=False,
)
@click.argument('profile', type=PROFILE)
@click.argument('backend', type=click.Choice(('ricordi', 'core')))
@WAIT
def use_backend(session: CommandSession, profile: str, backend: Family, wait: float | None) -> int:
    """Have AiiDA work on a profile by Ricordi's storage, or by its own again.

    BACKEND: `ricordi`, or `core` for the way back. Only the name of the storage in the configuration is changed, while
    nobody uses the profile; this program opens it under either name. AiiDA needs Ricordi in its own environment for
    that: `pip install '.[aiida]'` there, from a clone of Ricordi.
    """
    from ricordi.services.profiles import backend_name

    stop = Stop()
    with stopping(stop):
        done = backend_name.use_backend(profile, backend, wait, stop)
    if done.after == done.before:
        session.tell(f'Profile `{done.profile}` has the storage {done.after} already: nothing to do.')
    else:
        back = done.before.partition('.')[0]
        session.tell(
            f'AiiDA works on profile `{done.profile}` by {done.after} from now on, in place of {done.before}. '
            f'Back again: ricordi profile use-backend {done.profile} {back}'
        )
    if backend == 'ricordi' and not done.aiida:
        session.tell("AiiDA is not installed here: install 'ricordi[aiida]' in the environment that has it.")
    return 0
