"""One writer of a race over a profile in a bucket: `profile_race.py ricordi|aiida NAME SEED TALLY`, AIIDA_PATH set.

Stores nodes by the package of that name, reads them, deletes some of its own. Writes a byte into the file TALLY for
each node. It ends when it is killed; anything that may not happen ends it with a traceback.
"""

from __future__ import annotations

import io
import random
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from faults.bucket_race import CONTENTS, KEPT, LIMITS, PAUSE, count
from ricordi.repository.bucket.bucket import BucketRepository

PROFILE = 'raced'
MAY_HAPPEN = {'UnreachableStorage', 'AccessError', 'BusyDatabase', 'OperationalError', 'InterfaceError', 'GoneObject'}
"""Classes of errors, of any of the programs, in which it may end that a server was killed or is busy, or that, with no
grace, files of a node were removed before it was there; then it is not stored."""


def may_happen(error: BaseException | None) -> bool:
    """Whether it, or what it came of, is no fault."""
    while error is not None:
        if MAY_HAPPEN & {kind.__name__ for kind in type(error).__mro__}:
            return True
        error = error.__cause__ or error.__context__
    return False


class ProfileWriter:
    """Works as a user of one of the packages does."""

    def __init__(self, package: str, name: str, chance: random.Random) -> None:
        self.orm: Any = import_module(f'{package}.orm')
        self.tools: Any = import_module(f'{package}.tools')
        self.manager: Any = import_module('aiida.manage' if package == 'aiida' else 'ricordi.manager').get_manager()
        self.name = name
        self.chance = chance
        self.manager.load_profile(PROFILE)

    def work(self) -> bool:
        """Store a node, read all of it, delete some; whether nothing came in between."""
        try:
            self.read_back(self.store_node())
            self.delete_some()
            return True
        except Exception as error:
            if not may_happen(error):
                raise
            time.sleep(PAUSE)
            self.manager.reset_profile_storage()
            return False

    def store_node(self) -> Any:
        node = self.orm.FolderData(label=self.name)
        for key in self.chance.sample(sorted(CONTENTS), self.chance.randint(1, 6)):
            node.base.repository.put_object_from_filelike(io.BytesIO(CONTENTS[key]), key)
        return node.store()

    def read_back(self, node: Any) -> None:
        for key in node.base.repository.list_object_names():
            assert node.base.repository.get_object_content(key, mode='rb') == CONTENTS[key]

    def delete_some(self) -> None:
        query = self.orm.QueryBuilder().append(self.orm.FolderData, filters={'label': self.name}, project='*')
        nodes = query.all(flat=True)
        self.read_back(self.chance.choice(nodes))
        if len(nodes) > KEPT:
            pks = [node.pk for node in self.chance.sample(nodes, len(nodes) - KEPT)]
            self.tools.delete_nodes(pks, dry_run=False)


def main() -> None:
    package, name, seed, tally = sys.argv[1:]
    BucketRepository.__init__.__defaults__ = (LIMITS, None)
    writer = ProfileWriter(package, name, random.Random(int(seed)))
    while True:
        if writer.work():
            count(Path(tally))


if __name__ == '__main__':
    main()
