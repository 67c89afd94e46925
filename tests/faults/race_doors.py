"""One racer at the doors of a profile: `race_doors.py NUMBER ROUNDS`. Prints JSON: door → what each round gave.

Says `ready` when it is connected, and is told the moment BEGIN on its input.

A round asks for what is not there yet; all racers ask for the same at the same moment (BEGIN, then every 0.2 s).
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from ricordi import load_profile, orm
from ricordi.config import Profile
from ricordi.manager import get_manager
from ricordi.services.author import default_user
from ricordi.services.computers.access import configure_computer
from ricordi.services.groups.groups import create_group
from ricordi.services.person import Person
from ricordi.services.user import configure_user


def group(number: int) -> list[Any]:
    found, made = orm.Group.collection.get_or_create(f'g{number}')
    return [found.pk, made]


def group_in_transaction(number: int) -> list[Any]:
    with get_manager().get_profile_storage().transaction():
        found, made = orm.Group.collection.get_or_create(f't{number}')
        return [found.pk, made]


def group_of_shell(number: int) -> list[Any]:
    row, made = create_group(get_manager().get_profile_storage(), f's{number}')
    return [row.pk, made]


def user(number: int) -> list[Any]:
    made, found = orm.User.collection.get_or_create(f'u{number}@example.org', first_name='Ada')
    return [found.store().pk, made]


def user_of_shell(number: int) -> list[Any]:
    email = f'v{number}@example.org'
    made = configure_user(get_manager().get_profile(), Person(email, 'Ada', 'L', 'I'), set_default=False)
    return [orm.User.collection.get(email=email).pk, made]


def computer(number: int) -> list[Any]:
    given = {'hostname': 'localhost', 'transport_type': 'core.local', 'scheduler_type': 'core.direct'}
    made, found = orm.Computer.collection.get_or_create(f'c{number}', **given)
    return [found.store().pk, made]


def authinfo(number: int) -> list[Any]:
    """Each racer sets a parameter of its own."""
    reached = orm.Computer.collection.get(label=f'e{number}')
    return [reached.configure(**{f'key_{sys.argv[1]}': number}).pk, None]


def authinfo_of_shell(number: int) -> list[Any]:
    storage = get_manager().get_profile_storage()
    reached = orm.Computer.collection.get(label=f'd{number}')
    name = ('use_login_shell', 'safe_interval', 'use_login_shell', 'safe_interval')[int(sys.argv[1])]
    configure_computer(storage, reached.row, default_user(storage), {name: number})
    return [reached.get_authinfo(orm.User.collection.get_default()).pk, None]


def setting(number: int) -> list[Any]:
    get_manager().get_profile_storage().set_global_variable(f'key{number}', [number], 'told')
    return [number, None]


def members(number: int) -> list[Any]:
    """Each racer adds the same nodes, in an order of its own."""
    nodes = orm.QueryBuilder().append(orm.Int).all(flat=True)
    if int(sys.argv[1]) % 2:
        nodes.reverse()
    chosen, _ = orm.Group.collection.get_or_create(f'm{number}')
    chosen.add_nodes(nodes)
    return [chosen.pk, None]


DOORS = (group, group_in_transaction, group_of_shell, user, user_of_shell, computer, authinfo, authinfo_of_shell)
DOORS += (setting, members)


def main() -> None:
    loaded: Profile = load_profile('p')
    assert loaded.name == 'p'
    rounds = int(sys.argv[2])
    orm.User.collection.get_default()  # connected before the race
    print('ready', flush=True)
    moment = float(sys.stdin.readline())
    found: dict[str, list[Any]] = {}
    for door in DOORS:
        for number in range(rounds):
            time.sleep(max(0.0, moment - time.time()))
            moment += 0.2
            found.setdefault(door.__name__, []).append(door(number))
    json.dump(found, sys.stdout)


if __name__ == '__main__':
    main()
