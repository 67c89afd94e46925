"""The options that say which snapshots to keep, for `storage backup` and `storage forget`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from ricordi.cli.verb import Function, option
from ricordi.errors import UsageError

if TYPE_CHECKING:
    from ricordi.backup.policy import KeepPolicy

PERIODS = {'hourly': 'hours', 'daily': 'days', 'weekly': 'weeks', 'monthly': 'months', 'yearly': 'years'}
_NUMBER = click.IntRange(min=0)


def keep_options(group: str) -> Callable[[Function], Function]:
    """`--keep`, `--keep-last`, `--keep-hourly` …; their values are those of `policy_of`."""

    def decorate(function: Function) -> Function:
        for period, plural in reversed(PERIODS.items()):
            text = f'Keep the last snapshot of each of the last N {plural} that have one.'
            function = option(f'--keep-{period}', f'keep_{period}', type=_NUMBER, metavar='N', group=group, help=text)(
                function
            )
        text = 'Keep the last N snapshots.'
        function = option('--keep-last', 'keep_last', type=_NUMBER, metavar='N', group=group, help=text)(function)
        return option('--keep', 'keep', type=_NUMBER, metavar='N', group=group, help='The same as --keep-last.')(
            function
        )

    return decorate


def policy_of(given: Mapping[str, Any]) -> KeepPolicy | None:
    """The policy that options say; None where none of them was given.

    :raises ricordi.errors.UsageError: they contradict each other, or keep nothing.
    """
    from ricordi.backup.policy import KeepPolicy

    if given['keep'] is not None and given['keep_last'] is not None:
        raise UsageError('--keep and --keep-last say the same thing: give one of them')
    numbers = {period: given[f'keep_{period}'] for period in PERIODS}
    numbers['last'] = given['keep'] if given['keep'] is not None else given['keep_last']
    if all(number is None for number in numbers.values()):
        return None
    policy = KeepPolicy(**{name: number or 0 for name, number in numbers.items()})
    if policy.is_empty:
        raise UsageError('a policy that keeps nothing would remove all snapshots: say how many to keep')
    return policy
