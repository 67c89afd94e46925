"""Print what AiiDA reads in each of some profiles, as a JSON object by name; then store a node in each and maintain it.

python read_and_work_on.py PROFILE …, with AIIDA_PATH set. Ends with 1 where anything cannot be read or done.
"""

import io
import json
import sys

from aiida import load_profile, orm
from aiida.manage import get_manager
from aiida_dump import dump


def work_on(storage):
    """What a user goes on with: a new node, maintenance of both kinds, every object read."""
    node = orm.SinglefileData(io.BytesIO(b'stored by AiiDA after a restore')).store()
    storage.maintain(full=False, dry_run=False)
    storage.maintain(full=True, dry_run=False)
    errors = vars(storage.get_repository()._container.validate())
    assert not any(errors.values()), errors
    by_attribute = orm.QueryBuilder().append(orm.Node, filters={'attributes.filename': node.filename})
    assert node.pk in [found.pk for found in by_attribute.all(flat=True)]
    assert orm.load_node(node.uuid).get_content(mode='rb') == b'stored by AiiDA after a restore'


found = {}
for name in sys.argv[1:]:
    load_profile(name, allow_switch=True)
    storage = get_manager().get_profile_storage()
    found[name], errors = dump(storage)
    assert not errors, errors
    work_on(storage)
json.dump(found, sys.stdout)
