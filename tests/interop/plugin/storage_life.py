"""What AiiDA's interface of a storage does on one of ours; prints what came out of each topic, as JSON.

    AIIDA_PATH=/abs/config/folder python storage_life.py BACKEND CONFIG.json

A topic that fails gives the text of its error.
"""

import gc
import io
import json
import logging
import multiprocessing
import sys
import threading
import traceback
import warnings
from datetime import datetime
from enum import StrEnum
from functools import reduce
from pathlib import Path
from unittest import mock

from aiida import orm
from aiida.common.links import LinkType
from aiida.manage import get_manager
from aiida.manage.configuration import create_profile, get_config, load_profile
from aiida.manage.profile_access import ProfileAccessManager
from aiida.orm.entities import EntityTypes
from aiida.plugins import StorageFactory, entry_point
from importlib_metadata import EntryPoints

BACKEND, CONFIG = sys.argv[1], json.loads(sys.argv[2])


def storage():
    return get_manager().get_profile_storage()


def refusal(action, *arguments, **named):
    """The classes of AiiDA, SQLAlchemy and Python that an error of a call is of, by their names; None: it went well."""
    try:
        action(*arguments, **named)
    except Exception as error:
        known = [
            one for one in type(error).__mro__ if one.__module__.split('.')[0] in ('aiida', 'sqlalchemy', 'builtins')
        ]
        return [f'{one.__module__.split(".")[0]}.{one.__name__}' for one in known]
    return None


def fails():
    raise ZeroDivisionError


def set_up():
    config = get_config(create=True)
    person = {'email': 'a@b.c', 'first_name': 'A', 'last_name': 'B', 'institution': 'C'}
    made = create_profile(config, name='p', storage_backend=BACKEND, storage_config=CONFIG, **person)
    made.set_process_controller(None, {})
    config.set_default_profile('p').store()
    profile = load_profile('p')
    kind = StorageFactory(BACKEND)
    return {
        'class': type(storage()).__name__,
        'user': [storage().default_user.email, storage().default_user.institution],
        'versions': kind.version_profile(profile) == kind.version_head() == storage().version(),
        'again': kind.initialise(profile),
        'fields': sorted(getattr(kind, 'CliModel', kind.Model).model_fields),
    }


def freshness():
    """One handle sees what a second one, another thread, a forked child and a roll-back have done."""
    node = orm.Dict({'a': 1}, label='first').store()
    seen = [node.label]
    orm.load_node(node.pk).label = 'second handle'
    seen.append(node.label)
    run_in(threading.Thread, node.pk, 'thread')
    seen.append(node.label)
    run_in(multiprocessing.get_context('fork').Process, node.pk, 'child')
    seen.append(node.label)
    try:
        with storage().transaction():
            node.label = 'rolled back'
            seen.append(node.label)
            fails()
    except ZeroDivisionError:
        seen.append(node.label)
    other = orm.load_node(node.pk)
    node.base.extras.set('mine', 1)
    other.base.extras.set('theirs', 2)
    seen.append(sorted(set(node.base.extras.all) - {'_aiida_hash'}))
    return seen


def run_in(kind, *arguments, work=None):
    worker = kind(target=work or relabel, args=arguments)
    worker.start()
    worker.join(120)


def relabel(pk, label):
    orm.load_node(pk).label = label


def refusals():
    user = storage().default_user
    orm.Group('taken').store()
    group = orm.Group('other').store()
    storage().set_global_variable('k', 1)
    node = orm.Int(1).store()
    gone = orm.Int(2).store()
    storage().nodes.delete(gone.pk)
    deleted = refusal(getattr, gone.backend_entity, 'label')
    computer = orm.Computer('c', 'localhost', transport_type='core.local', scheduler_type='core.direct').store()
    orm.Data(computer=computer).store()
    return {
        'same email': refusal(orm.User(user.email).store),
        'label of another group': refusal(setattr, group, 'label', 'taken'),
        'link to nothing': refusal(link_to_nothing, node),
        'deleted row': deleted,
        'computer in use': refusal(orm.Computer.collection.delete, computer.pk),
        'no such node': refusal(storage().nodes.get, 4711),
        'no such comment': refusal(storage().comments.delete, 4711),
        'comment id': refusal(storage().comments.delete, 'x'),
        'no such global': refusal(storage().get_global_variable, 'none'),
        'global twice': refusal(storage().set_global_variable, 'k', 2, None, False),
        'no such attribute': refusal(node.backend_entity.get_attribute, 'none'),
        'no such object': refusal(storage().get_repository().get_object_content, '0' * 64),
        'delete outside': refusal(storage().delete_nodes_and_connections, [node.pk]),
        'insert of a field': refusal(storage().bulk_insert, EntityTypes.USER, [{'mail': 'x'}], allow_defaults=True),
        'half a character': refusal(orm.Str('caf\udce9').store),
        'lists in lists': refusal(orm.List([reduce(lambda inner, _: [inner], range(200), 1)]).store),
    }


def link_to_nothing(node):
    """A node is stored with its links, or not at all."""
    there = orm.QueryBuilder().append(orm.Node).count()
    gone, last = orm.Int(3).store(), orm.Int(4).store()
    process = orm.CalcFunctionNode().backend_entity
    storage().nodes.delete(gone.pk)
    links = [(one.backend_entity, LinkType.INPUT_CALC, str(one.pk)) for one in (node, last, gone)]
    try:
        process.store(links=links)
    finally:
        assert not process.is_stored
        assert orm.QueryBuilder().append(orm.Node).count() == there + 1


def values():
    """None is the default; a naive time is local; keys become texts; rows of many columns; unstored references."""
    backend = storage()
    user = backend.users.create('new@b.c', first_name=None)
    node = backend.nodes.create(
        node_type='data.core.dict.Dict.', user=user, label=None, ctime=datetime(2024, 5, 6, 7, 8, 9)
    )
    node.set_attribute_many({'n': {1: 'x'}})
    node.store()
    rows = [{'email': 'one@b.c'}, {'email': 'two@b.c', 'institution': 'I'}]
    pks = backend.bulk_insert(EntityTypes.USER, rows, allow_defaults=True)
    backend.bulk_update(EntityTypes.USER, [{'id': pks[0], 'last_name': 'L'}])
    found = [orm.User.collection.get(id=pk) for pk in pks]
    local = node.ctime.astimezone().replace(tzinfo=None)
    return {
        'user': [user.is_stored, user.first_name],
        'node': [node.label, node.attributes, str(local), node.mtime is not None, node.repository_metadata],
        'rows': [[one.email, one.last_name, one.institution] for one in found],
    }


def classes():
    """The classes of three nodes, with all entry points, without one of them, and again with all; and warnings."""
    row = {'node_type': 'surprise.Surprise.', 'user_id': storage().default_user.pk}
    unknown = storage().bulk_insert(EntityTypes.NODE, [row], allow_defaults=True)
    pks = [orm.Int(1).store().pk, orm.Dict({}).store().pk, *unknown]
    fewer = EntryPoints(one for one in entry_point.eps() if one.name != 'core.int')
    seen = [classes_of(pks)]
    without = {'eps': lambda: fewer, 'eps_select': lambda group, name: fewer.select(group=group, name=name)}
    with mock.patch.multiple(entry_point, **without):
        seen.append(classes_of(pks))
    return [*seen, classes_of(pks)]


def classes_of(pks):
    nodes = orm.QueryBuilder().append(orm.Node, filters={'id': {'in': pks}}).order_by({orm.Node: 'id'})
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter('always')
        found = {node.pk: type(node).__name__ for node in nodes.all(flat=True)}
        found[pks[2]] = type(orm.load_node(pks[2])).__name__
    return [*(found[pk] for pk in pks), sum('surprise' in str(one.message) for one in told)]


class Colour(StrEnum):
    RED = 'red'


def kept():
    """What a handle has of a node that it has stored, and what another handle reads."""
    given = {'list': [1, (2, 3)], 'key': {1: 'one'}, 'whole': 1.0, 'colour': Colour.RED}
    node = storage().nodes.create(node_type='data.core.dict.Dict.', user=storage().default_user.backend_entity)
    node.set_attribute_many(given)
    node.store()
    given['list'].append('later')
    plain = orm.Dict({'list': given['list']}).store()
    given['list'].append('last')
    assert plain.base.attributes.all == {'list': [1, [2, 3], 'later']}
    other = orm.load_node(node.pk).backend_entity
    plain.base.extras.set('first', 1)
    run_in(multiprocessing.get_context('fork').Process, plain.pk, 'of a child', work=set_extra)
    plain.base.extras.set('second', 2)
    return {
        name: [one.attributes, type(one.attributes['colour']).__name__, type(one.attributes['list'][1]).__name__]
        for name, one in {'here': node, 'there': other}.items()
    } | {'extras': sorted(set(plain.base.extras.all) - {'_aiida_hash'})}


def set_extra(pk, key):
    orm.load_node(pk).base.extras.set(key, 3)


def members():
    group = orm.Group('many').store()
    nodes = [orm.Int(number).store() for number in range(5)]
    group.add_nodes(nodes)
    group.add_nodes(nodes[:2])
    before = [one.value for one in group.nodes]
    part = [one.value for one in group.nodes[1:3]]
    group.remove_nodes(nodes[1:2])
    return [before, part, group.nodes[-1].value, group.count(), len(group.nodes)]


def transactions():
    before = orm.QueryBuilder().append(orm.Node).count()
    with storage().transaction():
        orm.Int(1).store()
        try:
            with storage().transaction():
                lost = orm.Int(2).store()
                fails()
        except ZeroDivisionError:
            pass
        inside = storage().in_transaction
    return [orm.QueryBuilder().append(orm.Node).count() - before, inside, storage().in_transaction, lost.is_stored]


def sessions():
    """What AiiDA's REST API does at the end of each request: threads leave no connections, and no transaction ends."""
    backend, found = storage(), []

    def request():
        found.append(orm.QueryBuilder().append(orm.Node).count())
        backend.get_session().close()

    def ask(times):
        for _ in range(times):
            thread = threading.Thread(target=request)
            thread.start()
            thread.join()
        gc.collect()
        return len([*Path('/proc/self/fd').iterdir()])

    few, many = ask(1), ask(8)
    with backend.transaction():
        kept = orm.Int(3).store()
        backend.get_session().close()
        backend.get_session().commit()
        inside = backend.in_transaction
    return {
        'same': len(set(found)) == 1,
        'leaked': many - few,
        'inside': inside,
        'kept': orm.load_node(kept.pk).value,
        'refused': refusal(lambda: backend.get_session().query),
    }


def maintenance():
    """Live, then full in this process, also inside a lock of AiiDA's; refused while another process is at work."""
    lines = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    logging.getLogger('aiida.storage').addHandler(handler)
    node = orm.SinglefileData(io.BytesIO(b'content of a file')).store()
    backend = storage()
    backend.maintain(dry_run=True)
    backend.maintain()
    with ProfileAccessManager(get_manager().get_profile()).lock():
        backend.maintain(full=True)
    backend.get_repository().put_object_from_filelike(io.BytesIO(b'garbage'))
    backend.maintain(full=True, do_repack=False, compress=True, incremental_cleanup=True)
    ready, leave = multiprocessing.Event(), multiprocessing.Event()
    other = multiprocessing.get_context('fork').Process(target=stay, args=(ready, leave))
    other.start()
    ready.wait(120)
    refused = refusal(backend.maintain, full=True)
    leave.set()
    other.join(120)
    return {
        'told': lines,
        'content': node.get_content(),
        'refused': refused,
        'objects': backend.get_repository().get_info()['Objects'],
        'info': sorted(backend.get_info(detailed=True)),
        'unreferenced': sorted(backend.get_unreferenced_keyset()),
    }


def stay(ready, leave):
    get_manager().reset_profile_storage()
    storage()
    ready.set()
    leave.wait(120)


def end():
    """Emptied, closed, made anew."""
    backend, profile = storage(), get_manager().get_profile()
    orm.SinglefileData(io.BytesIO(b'content')).store()
    repository = backend.get_repository().uuid
    backend._clear()
    cleared = [orm.QueryBuilder(backend).append(orm.Node).count(), orm.QueryBuilder(backend).append(orm.User).count()]
    renewed = backend.get_repository().uuid != repository
    backend.close()
    backend.close()
    closed = [backend.is_closed, refusal(backend.get_repository), refusal(backend.nodes.get, 1), str(backend)[-6:]]
    get_manager().unload_profile()
    kind = StorageFactory(BACKEND)
    again = kind.initialise(profile, reset=True)
    opened = kind(profile)
    descriptors = len([*Path('/proc/self/fd').iterdir()])
    for _ in range(5):
        opened.close()
        opened = kind(profile)
        opened.users.create('x').backend.get_global_variable('repository|uuid')
    leaked = len([*Path('/proc/self/fd').iterdir()]) - descriptors
    if BACKEND.endswith('sqlite_dos'):
        opened.delete()
    return {'cleared': cleared, 'renewed': renewed, 'closed': closed, 'reset': again, 'leaked': leaked}


def outcome(topic):
    try:
        return topic()
    except Exception:
        return traceback.format_exc()


results = {
    topic.__name__: outcome(topic)
    for topic in (set_up, freshness, refusals, values, classes, kept, members, transactions, sessions, maintenance, end)
}
print(json.dumps(results, default=str))
