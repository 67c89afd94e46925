"""What a user of AiiDA does in a day, done on one profile after the other; prints what came out of it, as JSON.

    AIIDA_PATH=/abs/config/folder python a_users_day.py '{"NAME": ["STORAGE", {…its config…}], …}' FOLDER

For each profile: answers to queries, and which uuid belongs to which row, since uuids are all that may differ.
"""

import io
import json
import sys
from pathlib import Path

from aiida import __version__, engine, load_profile, orm, tools
from aiida.calculations.arithmetic.add import ArithmeticAddCalculation
from aiida.common.links import LinkType
from aiida.manage import enable_caching, get_manager
from aiida.manage.configuration import create_profile, get_config
from aiida.tools.archive import create_archive, import_archive
from aiida.workflows.arithmetic.multiply_add import MultiplyAddWorkChain

VERSION = tuple(int(part) for part in __version__.split('.')[:2])
LACKS_SEVEN = [{'attributes.a.b': {'!contains': [7]}}] if VERSION >= (2, 7) else []  # unknown to SQLite before


@engine.calcfunction
def plus(x, y):
    return x + y


@engine.workfunction
def twice(x):
    return plus(x, x)


def data():
    """A node of each of many types."""
    for value in (orm.Int(1), orm.Float(2.5), orm.Str('träumend'), orm.Bool(True), orm.List([1, 'two', None])):
        value.store()
    many = orm.Dict({'a': {'b': [1, 2, {'c': None}]}, 'pi': 3.14159, 'empty': {}, 'text': 'x' * 300}, label='many')
    many.store()
    many.base.extras.set_many({'keep': 1, 'drop': 2, 'nested': {'deep': [True]}})
    many.base.extras.delete('drop')
    many.description = 'described'
    orm.SinglefileData(io.BytesIO(b'content'), filename='one.txt').store()
    folder = orm.FolderData()
    folder.base.repository.put_object_from_bytes(b'deep', 'a/b/c.dat')
    folder.base.repository.put_object_from_bytes(b'content', 'same.dat')
    folder.store()
    structure = orm.StructureData(cell=[[3, 0, 0], [0, 3, 0], [0, 0, 3]])
    structure.append_atom(position=(0, 0, 0), symbols='Si')
    structure.store()
    kpoints = orm.KpointsData()
    kpoints.set_kpoints_mesh([2, 2, 2])
    kpoints.store()
    clone = many.clone()
    clone.base.attributes.set('pi', 3)
    clone.store()
    return many, folder


def annotations(many, folder):
    """Groups, comments, logs, links by hand."""
    group = orm.Group('first', description='a group').store()
    group.add_nodes([many, folder])
    group.remove_nodes([folder])
    group.base.extras.set('why', {'because': 1})
    group.label = 'renamed'
    orm.AutoGroup('auto').store().add_nodes(list(orm.QueryBuilder().append(orm.Int).all(flat=True)))
    orm.Group.collection.delete(orm.Group('gone').store().pk)
    comment = many.base.comments.add('old words')
    many.base.comments.update(comment.pk, 'new words')
    many.base.comments.remove(many.base.comments.add('taken back').pk)
    process = orm.CalculationNode()
    process.base.links.add_incoming(many, LinkType.INPUT_CALC, 'many')
    process.store()
    out = orm.Int(5)
    out.base.links.add_incoming(process, LinkType.CREATE, 'out')
    out.store()
    process.logger.warning('something happened')
    process.set_process_state('killed')
    process.pause()
    process.set_exit_status(9)
    process.seal()


def processes(workdir):
    """Functions, with and without the cache, a CalcJob and a work chain with children."""
    plus(orm.Int(1), orm.Int(2))
    with enable_caching():
        plus(orm.Int(1), orm.Int(2))
    twice(orm.Int(4))
    computer = orm.Computer('here', 'localhost', '', 'core.local', 'core.direct', str(workdir)).store()
    computer.set_minimum_job_poll_interval(0)
    computer.set_default_mpiprocs_per_machine(1)
    computer.configure(safe_interval=0)
    code = orm.InstalledCode(label='add', computer=computer, filepath_executable='/bin/bash').store()
    inputs = {'x': orm.Int(1), 'y': orm.Int(2), 'code': code}
    chain = engine.run_get_node(MultiplyAddWorkChain, **inputs, z=orm.Int(3))[1]
    failed = engine.run_get_node(ArithmeticAddCalculation, x=orm.Int(1), y=orm.Int(-2), code=code)[1]
    return chain, failed


def queries(pk='id'):
    """Answers that do not depend on uuids."""
    every = orm.QueryBuilder().append(orm.Node, project=[pk, 'node_type', 'label'])
    children = orm.QueryBuilder().append(orm.CalcJobNode, tag='job')
    children.append(orm.Data, with_ancestors='job', project=[pk, 'attributes.value'])
    outer = orm.QueryBuilder().append(orm.Data, tag='data', project=pk)
    outer.append(orm.Group, with_node='data', outerjoin=True, project='label')
    by_hand = {'or': [{'attributes.value': {'in': [3, 5]}}, *LACKS_SEVEN]}
    filtered = orm.QueryBuilder().append(orm.Data, filters=by_hand, project=pk)
    dicts = orm.QueryBuilder().append(orm.Dict, filters={'label': 'many'}, project=['attributes.pi', 'extras'])
    answers = {
        'every': sorted(every.iterall(), key=str),
        'count': every.count(),
        'children': sorted(children.all(), key=str),
        'outer': sorted(outer.all(), key=str),
        'filtered': sorted(filtered.all(flat=True), key=str),
        'dict': sorted(dicts.dict(), key=str),
        'types': orm.Node.collection.query().append(orm.Int, project='id').count(),
    }
    if VERSION >= (2, 7):  # on SQLite an error before
        answers['statistics'] = orm.QueryBuilder()._impl.get_creation_statistics()['types']
    return answers


def loops():
    """What is left of changes in loops over rows: left by `break`, run to the end, left inside a transaction."""
    storage = get_manager().get_profile_storage()
    for _ in range(3):
        orm.Int(7, label='loop').store()
    query = orm.QueryBuilder().append(orm.Int, filters={'label': 'loop'})
    for (node,) in query.iterall():
        node.label = 'left'
        break
    left = orm.QueryBuilder().append(orm.Int, filters={'label': 'left'}).count()
    for (node,) in query.iterall(batch_size=1):
        node.base.extras.set('seen', True)
        orm.Int(8, label='made').store()
    made = orm.QueryBuilder().append(orm.Int, filters={'label': 'made'}).count()
    with storage.transaction():
        for row in query.iterdict():
            next(iter(row.values()))['*'].label = 'inside'
            break
    inside = orm.QueryBuilder().append(orm.Int, filters={'label': 'inside'}).count()
    seen = orm.QueryBuilder().append(orm.Int, filters={'extras.seen': True}).count()
    return [left, made, inside, seen]


def archives(folder, many):
    """Out, away, and in again."""
    create_archive(None, filename=folder / 'all.aiida')
    size = orm.QueryBuilder().append(orm.Node).count()
    deleted, _ = tools.delete_nodes([many.pk], dry_run=False)
    left = orm.QueryBuilder().append(orm.Node).count()
    import_archive(folder / 'all.aiida', create_group=False)
    return [size, len(deleted), left, orm.QueryBuilder().append(orm.Node).count()]


def dumped(chain, folder):
    """The folders and files of a dumped work chain."""
    where = folder / 'dumped'
    if VERSION < (2, 7):
        from aiida.tools.dumping.processes import ProcessDumper

        ProcessDumper().dump(chain, where)
    else:
        chain.dump(output_path=where)
    return sorted(path.relative_to(where).as_posix() for path in where.rglob('*') if 'log' not in path.name)


def told(info):
    """What a storage says of its repository; of sizes the names alone, for contents hold uuids."""
    return {**info, 'Size (MB)': list(info['Size (MB)'])}


def uuids():
    kinds = orm.Node, orm.Group, orm.Computer, orm.Comment, orm.Log
    return {
        uuid: f'{kind.__name__}-{pk}'
        for kind in kinds
        for uuid, pk in orm.QueryBuilder().append(kind, project=['uuid', 'id']).iterall()
    }


def day(folder):
    many, tree = data()
    annotations(many, tree)
    chain, failed = processes(folder / 'work')
    answers = {'queries': queries(), 'exit': [chain.exit_status, failed.exit_status]}
    answers['dumped'] = dumped(chain, folder)
    answers['loops'] = loops()
    names = uuids()
    storage = get_manager().get_profile_storage()
    storage.maintain(full=False)
    answers['told'] = told(storage.get_info(detailed=True)['repository'])
    answers['archives'] = archives(folder, many)
    answers['unreferenced'] = len(storage.get_unreferenced_keyset())
    answers['after'] = queries('description')  # those that were imported have pks in any order
    answers['repository'] = tree.base.repository.get_object_content('a/b/c.dat')
    return {'answers': answers, 'uuids': names, 'storage': type(storage).__name__}


def main():
    profiles, root = json.loads(sys.argv[1]), Path(sys.argv[2])
    get_config(create=True).set_option('runner.poll.interval', 1)  # without a broker it asks for ends of processes
    out = {}
    for name, (backend, config) in profiles.items():
        create_profile(get_config(create=True), name=name, email='a@b', storage_backend=backend, storage_config=config)
        load_profile(name, allow_switch=True)
        folder = root / name
        folder.mkdir(parents=True)
        out[name] = day(folder)
    print(json.dumps(out, default=str))


main()
