"""The options that choose groups, as of `ricordi group list` and `delete`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from ricordi.cli.parameters import NODE, USER
from ricordi.cli.verb import Function, option

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend
    from ricordi.services.groups.groups import GroupFilter


def filter_options(type_default: str | None) -> Callable[[Function], Function]:
    """The options that choose groups, as verdi has them.

    :param type_default: the type that counts when nothing is said; None: any.
    """
    shown = f' [default: {type_default}]' if type_default else ''

    def decorate(function: Function) -> Function:
        for add in (
            option('--node', '-N', type=NODE, group='Which groups', help='With this node.'),
            option('--contains', '-c', group='Which groups', help='With this in their label.'),
            option('--endswith', '-e', group='Which groups', help='Whose label ends like this.'),
            option('--startswith', '-s', group='Which groups', help='Whose label starts like this.'),
            option(
                '--past-days',
                '-p',
                type=click.FloatRange(min=0),
                group='Which groups',
                help='Made in the last so many days.',
            ),
            option('--type-string', '-T', default=type_default, group='Which groups', help=f'Of this type.{shown}'),
            option('--user', '-u', type=USER, group='Which groups', help='Of this user. [default: the default user]'),
            option('--all-users', '-A', is_flag=True, group='Which groups', help='Of all users.'),
        ):
            function = add(function)
        return function

    return decorate


def make_filter(
    storage: StorageBackend, all_users: bool, user: str | None, type_string: str | None, node: str | None, **rest: Any
) -> GroupFilter:
    """The filter that the options of `filter_options` stand for."""
    from ricordi.services.author import default_user, find_user
    from ricordi.services.groups.groups import GroupFilter
    from ricordi.services.nodes.finding import find_node

    if all_users:
        user = None
    elif user is not None:
        user = find_user(storage, user).email
    elif storage.profile.default_user_email or not storage.read_only:
        user = default_user(storage).email
    # else: an archive names no default user, and all its groups are meant
    return GroupFilter(
        user=user, type_string=type_string, node_pk=None if node is None else find_node(storage, node).pk, **rest
    )


def what_hides(storage: StorageBackend, all_types: bool, type_string: str, all_users: bool, **chosen: Any) -> str:
    """Which option would show the groups that the type or the user hides."""
    from ricordi.services.groups.groups import list_groups

    def some_fit(every_type: bool, every_user: bool) -> bool:
        return bool(
            list_groups(
                storage, make_filter(storage, every_user, type_string=None if every_type else type_string, **chosen)
            )
        )

    by_type, by_user = not all_types and some_fit(True, all_users), not all_users and some_fit(all_types, True)
    hints = ['--all shows groups of all types'] if by_type else []
    hints += ['--all-users (-A) shows those of all users'] if by_user else []
    if not hints and not all_types and not all_users and some_fit(True, True):
        hints = ['--all --all-users shows groups of all types and users']
    return ''.join(f'; {hint}' for hint in hints)
