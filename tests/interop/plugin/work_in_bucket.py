"""AiiDA at work on a profile with its objects in a bucket, from `verdi profile setup` on; prints what came of it.

AIIDA_PATH=/abs/config/folder python work_in_bucket.py CONFIG
"""

import io
import json
import os
import sys
from pathlib import Path

from aiida import orm
from aiida.cmdline.commands.cmd_verdi import verdi
from aiida.common.exceptions import AiidaException
from aiida.manage import get_manager
from aiida.manage.configuration import load_profile
from click.testing import CliRunner


def storage():
    return get_manager().get_profile_storage()


def run(*words):
    """Run verdi; what it says."""
    done = CliRunner().invoke(verdi, [str(word) for word in words])
    assert done.exit_code == 0, (words, done.output, done.exception)
    return done.output


def refusal(action):
    try:
        action()
    except AiidaException as error:
        return [type(error).__name__, str(error)]
    return None


def main():
    config = json.loads(sys.argv[1])
    options = [word for key, value in config.items() for word in (f'--{key.replace("_", "-")}', value)]
    person = ('--email', 'a@b.c', '--first-name', 'A', '--last-name', 'B', '--institution', 'C')
    run('profile', 'setup', 'ricordi.psql_bucket', '-n', '--profile-name', 'p', *person, '--no-use-rabbitmq', *options)
    load_profile('p', allow_switch=True)
    nodes = [orm.SinglefileData(io.BytesIO(b'content %d' % n), filename='file').store() for n in range(20)]
    orm.Group('mine').store().add_nodes(nodes)
    storage().maintain(full=False)
    gone = nodes[0].pk
    with storage().transaction():
        storage().delete_nodes_and_connections([gone])
    storage().maintain(full=True)  # beside this very user
    found = orm.QueryBuilder().append(orm.SinglefileData, project='*').all(flat=True)
    result = {
        'class': type(storage()).__name__,
        'contents': sorted(node.get_content() for node in found),
        'shown': str(storage()),
        'info': sorted(storage().get_info(detailed=True)),
        'backup': refusal(lambda: storage().backup(str(Path(os.environ['AIIDA_PATH']).parent / 'backup'))),
    }
    print(json.dumps(result))


if __name__ == '__main__':
    main()
