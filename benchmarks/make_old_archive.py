"""Make an archive as AiiDA 1 wrote them (version 0.10), the same one each time.

    python benchmarks/make_old_archive.py FILE [--nodes 60000] [--shrink 1]

Of every six nodes one is a calculation, with two inputs, a folder of results, a dictionary and a number that came of
it; there are as many files as nodes, of the sizes of make_profile.py.
"""

from __future__ import annotations

import argparse
import json
import random
import uuid
import zipfile
from pathlib import Path
from typing import Any

from make_profile import CALCJOB, Contents

WHEN = '2021-04-17T14:28:20.786071'
DATA = {1: 'int.Int.', 2: 'dict.Dict.', 3: 'folder.FolderData.', 4: 'dict.Dict.', 5: 'float.Float.'}
LINKS = {1: 'input_calc', 2: 'input_calc', 3: 'create', 4: 'create', 5: 'create'}
GROUP_SIZE = 3_000
ENTITIES = ('User', 'Computer', 'Group', 'Node', 'Log', 'Comment')


class OldArchive:
    """Rows and files in the making."""

    def __init__(self, archive: zipfile.ZipFile, shrink: int) -> None:
        """
        :param shrink: files are so many times smaller.
        """
        self._archive = archive
        self._shrink = shrink
        self._contents = Contents(None, 1)
        self._random = random.Random(2)
        self._uuids: list[str] = []
        rows: dict[str, dict[str, Any]] = {name: {} for name in ENTITIES}
        rows['User'] = {'1': {'email': 'a@example.org', 'first_name': '', 'last_name': '', 'institution': ''}}
        rows['Computer'] = {
            '1': {
                'uuid': self._uuid(),
                'name': 'cluster',
                'hostname': 'cluster',
                'description': '',
                'scheduler_type': 'slurm',
                'transport_type': 'ssh',
                'metadata': {},
            }
        }
        self.data: dict[str, Any] = {
            'node_attributes': {},
            'node_extras': {},
            'export_data': rows,
            'links_uuid': [],
            'groups_uuid': {},
        }

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def add_node(self, number: int) -> None:
        """Add the node of a number, from 0 on, with a file."""
        part, name = number % 6, self._uuid()
        pk = str(number + 1)
        self._uuids.append(name)
        self.data['export_data']['Node'][pk] = {
            'uuid': name,
            'node_type': f'data.{DATA[part]}' if part else CALCJOB,
            'process_type': None if part else 'aiida.calculations:arithmetic.add',
            'label': f'node {number}',
            'description': '',
            'ctime': WHEN,
            'mtime': WHEN,
            'user': 1,
            'dbcomputer': None if part else 1,
        }
        self.data['node_attributes'][pk] = self._attributes(part, number)
        self.data['node_extras'][pk] = {'_aiida_hash': f'{self._random.getrandbits(256):064x}', 'number': number}
        if part:
            ends = {'input': name, 'output': self._uuids[number - part]}
            if LINKS[part] == 'create':
                ends = {'input': ends['output'], 'output': ends['input']}
            self.data['links_uuid'].append({**ends, 'label': f'l{part}', 'type': LINKS[part]})
        content = self._contents.make()
        place = f'nodes/{name[:2]}/{name[2:4]}/{name[4:]}/{"path" if part else "raw_input"}/file.txt'
        self._archive.writestr(place, content[: max(40, len(content) // self._shrink)])

    def _attributes(self, part: int, number: int) -> dict[str, Any]:
        if part:
            return {'value': number, 'list': [self._random.random() for _ in range(20)]}
        return {'process_state': 'finished', 'exit_status': 0, 'sealed': True, 'resources': {'num_machines': number}}

    def finish(self) -> None:
        """Group the nodes and write what is not there yet."""
        for begin in range(0, len(self._uuids), GROUP_SIZE):
            name = self._uuid()
            self.data['groups_uuid'][name] = self._uuids[begin : begin + GROUP_SIZE]
            self.data['export_data']['Group'][str(begin + 1)] = {
                'uuid': name,
                'label': f'group {begin}',
                'type_string': 'core',
                'description': '',
                'time': WHEN,
                'user': 1,
                'extras': {},
            }
        metadata = {
            'export_version': '0.10',
            'aiida_version': '1.6.9',
            'all_fields_info': {name: {} for name in ENTITIES},
            'unique_identifiers': dict.fromkeys(ENTITIES, 'uuid'),
        }
        self._archive.writestr('data.json', json.dumps(self.data))
        self._archive.writestr('metadata.json', json.dumps(metadata))


def make(path: Path, nodes: int, shrink: int = 1) -> None:
    """Write the archive."""
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        old = OldArchive(archive, shrink)
        for number in range(nodes):
            old.add_node(number)
        old.finish()


def main() -> None:
    """Make it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('path', type=Path)
    parser.add_argument('--nodes', type=int, default=60_000)
    parser.add_argument('--shrink', type=int, default=1, help='files are so many times smaller')
    args = parser.parse_args()
    make(args.path, args.nodes, args.shrink)


if __name__ == '__main__':
    main()
