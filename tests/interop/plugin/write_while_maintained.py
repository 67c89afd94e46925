"""Writers through AiiDA beside AiiDA's maintenance, again and again.

    python write_while_maintained.py CONFIG COUNT

Makes the profile `raced` on Ricordi's storage, prints READY, lets two processes store COUNT files each and maintains it
meanwhile; prints how often it was maintained.
"""

import io
import json
import multiprocessing
import sys
import time

from aiida import load_profile, orm
from aiida.common.exceptions import AiidaException
from aiida.manage import get_manager
from aiida.manage.configuration import create_profile, get_config


def store(writer, count):
    for number in range(count):
        content = f'{writer} has written {number}'.encode()
        node = orm.SinglefileData(io.BytesIO(content), filename='file').store()
        node.base.extras.set('number', number)
        assert node.get_content(mode='rb') == content


def is_maintained():
    """Maintain the profile, unless somebody else does just now."""
    try:
        get_manager().get_profile_storage().maintain(full=False)
    except AiidaException as error:
        if 'another maintenance' not in str(error):
            raise
        return False
    return True


def main():
    config, count = json.loads(sys.argv[1]), int(sys.argv[2])
    backend = 'ricordi.sqlite_dos'
    create_profile(get_config(create=True), name='raced', email='a@b', storage_backend=backend, storage_config=config)
    load_profile('raced')
    print('READY', flush=True)
    get_manager().reset_profile_storage()
    context = multiprocessing.get_context('fork')
    writers = [context.Process(target=store, args=(name, count)) for name in ('first', 'second')]
    for writer in writers:
        writer.start()
    rounds = 0
    while any(writer.is_alive() for writer in writers):
        rounds += is_maintained()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    storage = get_manager().get_profile_storage()
    files = orm.QueryBuilder().append(orm.SinglefileData).all(flat=True)
    while not is_maintained():  # who maintains it over there goes on until this process has ended
        time.sleep(0.05)
    assert len(files) == len({node.get_content() for node in files}) == 2 * count
    assert storage.get_unreferenced_keyset() == set()
    print(rounds)


main()
