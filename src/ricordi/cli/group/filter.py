"""The options that choose groups, as of `ricordi group list` and `delete`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ricordi.cli.parameters import DAYS, NODE, USER
from ricordi.cli.terminal.quantities import plural
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
                type=DAYS,
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
    """How many groups the user or the type hides, and which option shows them; those of others first."""
    from ricordi.services.groups.groups import list_groups

    def fitting(every_type: bool, every_user: bool) -> int:
        one_type = None if every_type else type_string
        return len(list_groups(storage, make_filter(storage, every_user, type_string=one_type, **chosen)))

    of_others = 0 if all_users else fitting(all_types, True)
    of_types = 0 if all_types else fitting(True, all_users)
    hints = [f'{plural(of_others, "is", "are")} of other users: --all-users (-A) shows them'] if of_others else []
    hints += [f'{plural(of_types, "is", "are")} of other types: --all shows them'] if of_types else []
    if not hints and not all_types and not all_users and (of_both := fitting(True, True)):
        hints = [f'{plural(of_both, "is", "are")} of other users and types: --all --all-users shows them']
    return ''.join(f'; {hint}' for hint in hints)
