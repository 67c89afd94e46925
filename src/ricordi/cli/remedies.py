"""What can be done about an error, in the words of the command line: its verbs and options."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ricordi.errors import RicordiError
    from ricordi.remedies import Deed, Remedy

WORDS: dict[Deed, str] = {
    'adopt storage': '; choose another place, or give it a name with `ricordi profile setup`',
    'back up': ': see `ricordi storage backup`',
    'choose snapshot': '; name one after an `@`, or its profile with --of',
    'choose another folder': ': give another --path',
    'choose another folder or overwrite': ': give another --path, or --overwrite to remove what is there',
    'choose another format': ' (-f)',
    'choose codes or computers': ' (--codes, --computers)',
    'choose days or dates': ' (--past-days; --start-date, --end-date)',
    'choose groups to dump': ': give --all or --groups too, or --also-ungrouped',
    'choose other dates': ' (--start-date, --end-date)',
    'choose what to dump': ': give --all, --groups, or a filter together with --also-ungrouped',
    'clear access records': ' with `ricordi storage unlock`',
    'configure computer': ': use `ricordi computer configure {}`',
    'configure user': ': see `ricordi user configure`',
    'count objects': '; --count yes takes the time',
    'do without login shell': ': `ricordi computer configure {} -n --no-use-login-shell`',
    'duplicate computer': '; `ricordi computer duplicate {}` makes another with its settings',
    'enable computer': ': see `ricordi computer enable {}`',
    'keep data': ' (--keep-data)',
    'leave out everything': ': leave out --all, or the others',
    'list files': ': see `ricordi node repo ls {}`',
    'list indexes': '; `ricordi storage index list` shows those there are',
    'list group paths': '; see `ricordi group path ls`',
    'list options': '; `ricordi config list --advanced` shows those there are',
    'list problems': '; `ricordi storage maintain --full --dry-run` lists all that is missing or unclear',
    'make backup': '; `ricordi storage backup {}` makes one',
    'maintain in full': ': `ricordi storage maintain --full` does it',
    'find damage': '; `ricordi storage verify --read` finds all that is not sound, then `ricordi storage repair --from '
    'SOURCE` mends it, where the source is a backup, an archive, another profile',
    'mend backup': '; `ricordi storage repair --backup {}` mends it',
    'mend objects': '; `ricordi storage repair --from SOURCE` mends what a backup, an archive or another profile has, '
    '`ricordi storage maintain --full --dry-run` lists it',
    'make bucket': ': correct its name, or add --make-bucket to make it',
    'make first profile': ': make one with `ricordi presto`, or with `ricordi profile setup`',
    'make profile': ', or make a first profile with `ricordi presto`',
    'migrate archive': ': run `ricordi archive migrate {} NEW` first',
    'migrate storage': ': run `ricordi -p {} storage migrate`',
    'name profile': ': name one with -p, or set it with `ricordi profile set-default NAME`',
    'overwrite': '; --force overwrites it',
    'repack all': ': add --repack all to change it',
    'repair storage': '; or see `ricordi storage repair`',
    'set default user': ': see `ricordi user set-default`',
    'show computer': ': see `ricordi computer show`',
    'trust rows': '; `ricordi storage verify` tells what is wrong, `ricordi storage repair` mends what can be, '
    'and `ricordi storage restore` gives back what a backup has',
    'verify': ': see `ricordi storage verify`',
    'wait': ', or wait with --wait',
}
"""What follows the message; what it is to be done to comes in the place of `{}`."""


def with_remedy(message: str, remedy: Remedy | None) -> str:
    """A message with what can be done about it, which comes before a list that the message ends with."""
    if remedy is None:
        return message
    words = WORDS[remedy.deed].replace('{}', shlex.join(remedy.subject))
    first, line_end, rest = message.partition('\n')
    if line_end and first.endswith(':'):
        return f'{first[:-1]}{words}:\n{rest}'
    return f'{message}{words}'


def message_of(error: RicordiError) -> str:
    """What the command line says of an error."""
    return with_remedy(str(error), error.remedy)
