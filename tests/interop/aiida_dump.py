"""Print everything that aiida-core finds in a profile, as canonical JSON.

An independent reading of a storage: run it before and after Ricordi touched the storage, or on a storage that
Ricordi wrote, and compare. Needs an environment of its own with aiida-core in it:

    python -m venv .oracle && .oracle/bin/pip install aiida-core==2.9.4
    AIIDA_PATH=/abs/config/folder .oracle/bin/python aiida_dump.py PROFILE > dump.json
    AIIDA_PATH=/abs/scratch       .oracle/bin/python aiida_dump.py --archive FILE.aiida > dump.json

Every object named by a node is read through aiida-core and given by its SHA-256, so equal dumps mean equal content.
Exit code 0: all was readable. 1: something was not, named on standard error. Primary keys are left out.
"""

import argparse
import hashlib
import json
import sys


def open_storage(args):
    if args.archive:
        from aiida import load_profile
        from aiida.storage.sqlite_zip.backend import SqliteZipBackend

        profile = SqliteZipBackend.create_profile(args.archive)
        load_profile(profile)
        return SqliteZipBackend(profile)
    from aiida import load_profile
    from aiida.manage import get_manager

    load_profile(args.profile)
    return get_manager().get_profile_storage()


def canonical(value):
    return json.loads(json.dumps(value, default=str, sort_keys=True))


def rows(backend, entity, project):
    from aiida import orm

    query = orm.QueryBuilder(backend=backend).append(entity, project=project)
    return [dict(zip(project, map(canonical, row))) for row in query.iterall(batch_size=1000)]


def dump(backend, read_objects=True):
    from aiida import orm

    def qb():
        return orm.QueryBuilder(backend=backend)

    out = {
        'users': rows(backend, orm.User, ['email', 'first_name', 'last_name', 'institution']),
        'computers': rows(
            backend,
            orm.Computer,
            ['uuid', 'label', 'hostname', 'description', 'scheduler_type', 'transport_type', 'metadata'],
        ),
        'nodes': rows(
            backend,
            orm.Node,
            [
                'uuid',
                'node_type',
                'process_type',
                'label',
                'description',
                'ctime',
                'mtime',
                'attributes',
                'extras',
                'repository_metadata',
            ],
        ),
        'groups': rows(backend, orm.Group, ['uuid', 'label', 'type_string', 'description', 'time', 'extras']),
        'comments': rows(backend, orm.Comment, ['uuid', 'ctime', 'mtime', 'content']),
        'logs': rows(backend, orm.Log, ['uuid', 'time', 'loggername', 'levelname', 'message', 'metadata']),
    }
    query = qb().append(orm.Node, tag='n', project='uuid').append(orm.User, with_node='n', project='email')
    out['node_user'] = [list(row) for row in query.iterall()]
    query = qb().append(orm.Node, tag='n', project='uuid').append(orm.Computer, with_node='n', project='uuid')
    out['node_computer'] = [list(row) for row in query.iterall()]
    query = (
        qb()
        .append(orm.Node, tag='s', project='uuid')
        .append(orm.Node, with_incoming='s', project='uuid', edge_project=['type', 'label'])
    )
    out['links'] = [list(row) for row in query.iterall()]
    query = qb().append(orm.Group, tag='g', project='uuid').append(orm.Node, with_group='g', project='uuid')
    out['group_nodes'] = [list(row) for row in query.iterall()]
    query = qb().append(orm.Node, tag='n', project='uuid').append(orm.Comment, with_node='n', project='uuid')
    out['node_comments'] = [list(row) for row in query.iterall()]
    query = qb().append(orm.Node, tag='n', project='uuid').append(orm.Log, with_node='n', project='uuid')
    out['node_logs'] = [list(row) for row in query.iterall()]
    out['authinfos'] = [
        [a.computer.uuid, a.user.email, a.enabled, canonical(a.get_auth_params()), canonical(a.get_metadata())]
        for a in orm.AuthInfo.get_collection(backend).all()
    ]

    errors = []
    if read_objects:
        keys = set()

        def walk(tree):
            for entry in tree.get('o', {}).values():
                if 'k' in entry:
                    keys.add(entry['k'])
                else:
                    walk(entry)

        for node in out['nodes']:
            walk(node['repository_metadata'] or {})
        repository, objects = backend.get_repository(), {}
        for key in sorted(keys):
            try:
                with repository.open(key) as handle:
                    digest, size = hashlib.sha256(), 0
                    while chunk := handle.read(1 << 20):
                        digest.update(chunk)
                        size += len(chunk)
                objects[key] = [digest.hexdigest(), size]
                if digest.hexdigest() != key:
                    errors.append(f'{key}: content has SHA-256 {digest.hexdigest()}')
            except Exception as exception:
                errors.append(f'{key}: {type(exception).__name__}: {exception}')
        out['objects'] = objects
    for name, value in out.items():
        if isinstance(value, list):
            value.sort(key=lambda row: json.dumps(row, sort_keys=True))
    return out, errors


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('profile', nargs='?')
    parser.add_argument('--archive')
    parser.add_argument('--no-objects', action='store_true', help='do not read object content')
    args = parser.parse_args()
    if bool(args.profile) == bool(args.archive):
        parser.error('give a profile or --archive')
    out, errors = dump(open_storage(args), not args.no_objects)
    json.dump(out, sys.stdout, indent=1, sort_keys=True, ensure_ascii=False)
    print()
    for error in errors:
        print(error, file=sys.stderr)
    sys.exit(bool(errors))


if __name__ == '__main__':
    main()
