"""Make an AiiDA profile of realistic shape and size, the same one each time; run it with the peer's Python.

    benchmarks/local/peer/bin/python benchmarks/make_profile.py HOME [--nodes 60000] [--postgres URI] [--no-files]

HOME becomes a configuration folder (use it as AIIDA_PATH) with one profile, `bench`: workflows that call calculations,
each with its inputs, a folder of results and a dictionary of parameters, in groups of 3,000 nodes, with comments and
logs. There are as many objects as nodes, 15 KB on average, seven in ten of them text and the rest incompressible.
Rows go in through aiida-core; loose objects are written straight into the container, without fsync.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import time
import urllib.parse
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

CALCULATIONS_PER_WORKFLOW = 19
GROUP_SIZE = 3_000
BATCH = 5_000
START = datetime(2023, 1, 1, tzinfo=UTC)
CALCJOB = 'process.calculation.calcjob.CalcJobNode.'
WORKCHAIN = 'process.workflow.workchain.WorkChainNode.'

Row = dict[str, Any]


class Contents:
    """Writes objects of the container's loose form and returns their keys."""

    def __init__(self, loose: Path | None, seed: int) -> None:
        self.loose = loose
        self.random = random.Random(seed)
        self.count = 0
        self.bytes = 0
        lines = (
            f'  atom {number:4d}   {self.random.uniform(-9, 9):12.8f}   {self.random.uniform(-9, 9):12.8f}'
            f'   total energy = {self.random.uniform(-999, 0):18.10f} Ry\n'
            for number in range(4_000)
        )
        self.text = ''.join(lines).encode()

    def make(self) -> bytes:
        """One content: text cut from a long output, or bytes that do not compress; log-normal, 15 KB on average."""
        size = max(40, min(int(self.random.lognormvariate(8.896, 1.2)), 4_000_000))
        head = f'{self.count:016x}\n'.encode()
        if self.random.random() < 0.3:
            return head + self.random.randbytes(size)
        start = self.random.randrange(len(self.text))
        return head + (self.text[start:] + self.text * (size // len(self.text) + 1))[:size]

    def put(self) -> str:
        """Store one new content."""
        content = self.make()
        key = hashlib.sha256(content).hexdigest()
        self.count += 1
        self.bytes += len(content)
        if self.loose is not None:
            folder = self.loose / key[:2]
            try:
                (folder / key[2:]).write_bytes(content)
            except FileNotFoundError:
                folder.mkdir(parents=True)
                (folder / key[2:]).write_bytes(content)
        return key

    def tree(self, *names: str) -> Row:
        """The file tree of a node with these files in its top folder."""
        return {'o': {name: {'k': self.put()} for name in names}} if names else {}


class Graph:
    """Rows of nodes and links; a node is known by its place in `nodes` until the database has given it a pk."""

    def __init__(self, contents: Contents, seed: int) -> None:
        self.contents = contents
        self.random = random.Random(seed)
        self.nodes: list[Row] = []
        self.links: list[tuple[int, int, str, str]] = []
        self.processes: list[int] = []

    def node(self, node_type: str, attributes: Row, files: tuple[str, ...] = (), **values: Any) -> int:
        """Add a node and return its place."""
        moment = START + timedelta(minutes=len(self.nodes) * 13)
        row = {
            'uuid': str(uuid.UUID(int=self.random.getrandbits(128), version=4)),
            'node_type': node_type,
            'process_type': None,
            'label': '',
            'description': '',
            'ctime': moment,
            'mtime': moment + timedelta(minutes=7),
            'attributes': attributes,
            'extras': {'_aiida_hash': f'{self.random.getrandbits(256):064x}'},
            'repository_metadata': self.contents.tree(*files),
            **values,
        }
        self.nodes.append(row)
        return len(self.nodes) - 1

    def data(self, name: str, attributes: Row, *files: str, **values: Any) -> int:
        """Add a data node of a type of aiida-core, `int.Int` for instance."""
        return self.node(f'data.core.{name}.', attributes, files, **values)

    def link(self, source: int, target: int, link_type: str, label: str) -> None:
        """Join two nodes."""
        self.links.append((source, target, link_type, label))

    def value(self) -> int:
        """Add an Int, Float or Str."""
        kind = len(self.nodes) % 3
        if kind == 0:
            return self.data('int.Int', {'value': self.random.randrange(1_000)})
        if kind == 1:
            return self.data('float.Float', {'value': self.random.random()})
        return self.data('str.Str', {'value': f'a value of some length, {self.random.random()}'})

    def process(self, node_type: str, label: str, **values: Any) -> int:
        """Add a process node; one in 133 was killed or excepted."""
        number = len(self.processes)
        state = 'finished' if number % 133 else ('excepted', 'killed')[number // 133 % 2]
        attributes = {
            'process_label': label,
            'process_state': state,
            'version': {'core': '2.9.4', 'plugin': '4.12.0'},
            **({'exit_status': 0 if number % 9 else 410} if state == 'finished' else {}),
            'sealed': True,
            **values.pop('attributes', {}),
        }
        pk = self.node(node_type, attributes, process_type=f'aiida.{label}', **values)
        self.processes.append(pk)
        return pk

    def workflow(self, code: int, settings: list[int]) -> None:
        """Add a workflow: a chain of calculations in which each reads the results of the one before."""
        workchain = self.process(WORKCHAIN, 'workflows:relax')
        for number, setting in enumerate(settings):
            self.link(setting, workchain, 'input_work', f'setting_{number}')
        before = settings[0]
        for step in range(CALCULATIONS_PER_WORKFLOW):
            structure = self.data('singlefile.SinglefileData', {'filename': 'structure.cif'}, 'structure.cif')
            parameters = self.data('dict.Dict', self.parameters())
            calculation = self.calculation()
            self.link(workchain, calculation, 'call_calc', f'iteration_{step:02d}')
            for source, label in ((structure, 'structure'), (parameters, 'parameters'), (code, 'code')):
                self.link(source, calculation, 'input_calc', label)
            self.link(before, calculation, 'input_calc', 'parent_folder' if step else 'start')
            if step < 2:
                self.link(settings[-1], calculation, 'input_calc', 'settings')
            before = self.data('folder.FolderData', {}, 'aiida.out', 'data.xml', '_scheduler-stderr.txt')
            self.link(calculation, before, 'create', 'retrieved')
            result = self.data('dict.Dict', self.results())
            self.link(calculation, result, 'create', 'output_parameters')
        self.link(workchain, result, 'return', 'output_parameters')

    def calculation(self) -> int:
        """Add a calculation with its input file and its script."""
        number = self.random.randrange(10**6)
        attributes = {
            'scheduler_state': 'done',
            'job_id': str(number),
            'remote_workdir': f'/scratch/runs/{number:06d}/{self.random.getrandbits(64):016x}',
            'resources': {'num_machines': 1, 'num_mpiprocs_per_machine': 32, 'num_cores_per_mpiproc': 1},
            'max_wallclock_seconds': 3600,
            'retrieve_list': ['aiida.out', './out/data.xml', '_scheduler-stdout.txt', '_scheduler-stderr.txt'],
            'input_filename': 'aiida.in',
            'output_filename': 'aiida.out',
            'withmpi': True,
            'detailed_job_info': {'stdout': f'{number}|short|COMPLETED|0:0|{self.random.random()}|' * 4, 'retval': 0},
        }
        files = ('aiida.in', '_aiidasubmit.sh')
        return self.process(CALCJOB, 'calculations:pw', attributes=attributes, files=files)

    def parameters(self) -> Row:
        """Input parameters, some 300 bytes of JSON."""
        system = {'ecutwfc': self.random.choice((30, 60, 90)), 'ecutrho': 240.0, 'occupations': 'smearing'}
        electrons = {'conv_thr': 1e-10, 'mixing_beta': self.random.random()}
        return {'CONTROL': {'calculation': 'scf', 'tstress': True}, 'SYSTEM': system, 'ELECTRONS': electrons}

    def results(self) -> Row:
        """Results, some 700 bytes of JSON."""
        names = ('energy', 'fermi', 'volume', 'wall_time', 'total_force', 'magnetization', 'pressure', 'gap')
        values = {name: self.random.uniform(-1e3, 1e3) for name in names}
        return {**values, 'units': dict.fromkeys(names, 'eV'), 'forces': [self.random.random() for _ in range(15)]}


def build(nodes: int, contents: Contents) -> Graph:
    """The rows of a profile of that many nodes."""
    graph = Graph(contents, seed=7)
    if not nodes:
        return graph
    code = graph.data('code.installed.InstalledCode', {'filepath_executable': '/opt/pw.x', 'input_plugin': 'calc.pw'})
    workflows = nodes // 120
    loose_files = nodes // 20
    for _ in range(workflows):
        graph.workflow(code, [graph.value(), graph.value()])
    for number in range(loose_files):
        graph.data('singlefile.SinglefileData', {'filename': f'upload-{number}.dat'}, f'upload-{number}.dat')
    while len(graph.nodes) < nodes:
        graph.value()
    return graph


def batches(rows: list[Row]) -> Iterator[list[Row]]:
    """Cut a list into pieces that are inserted at once."""
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]


def insert(graph: Graph) -> None:
    """Write all rows through the storage of the loaded profile."""
    from aiida import orm
    from aiida.manage import get_manager
    from aiida.orm.entities import EntityTypes

    backend = get_manager().get_profile_storage()
    users = [orm.User.collection.get_default(), *(orm.User(email=f'user{n}@example.org').store() for n in range(5))]
    computers = [
        orm.Computer(
            label=f'cluster{n}', hostname=f'c{n}.example.org', transport_type='core.local', scheduler_type='core.direct'
        ).store()
        for n in range(4)
    ]
    for number, row in enumerate(graph.nodes):
        row['user_id'] = users[number % len(users)].pk
        on_computer = row['node_type'] == CALCJOB or 'code' in row['node_type']
        row['dbcomputer_id'] = computers[number % len(computers)].pk if on_computer else None

    def add(kind: EntityTypes, rows: list[Row]) -> list[int]:
        return [pk for batch in batches(rows) for pk in backend.bulk_insert(kind, batch, allow_defaults=True)]

    with backend.transaction():
        pks = add(EntityTypes.NODE, graph.nodes)
        add(
            EntityTypes.LINK,
            [{'input_id': pks[a], 'output_id': pks[b], 'type': t, 'label': n} for a, b, t, n in graph.links],
        )
        add(EntityTypes.COMMENT, [comment(graph, pks, place, users[0].pk) for place in range(0, len(pks), 60)])
        add(EntityTypes.LOG, [log(graph, pks, place) for place in graph.processes[::4]])
    for number, start in enumerate(range(0, len(pks), GROUP_SIZE)):
        group = orm.Group(label=f'group-{number:03d}', description=f'nodes of batch {number}').store()
        rows = [{'dbnode_id': pk, 'dbgroup_id': group.pk} for pk in pks[start : start + GROUP_SIZE]]
        add(EntityTypes.GROUP_NODE, rows)


def comment(graph: Graph, pks: list[int], place: int, user: int) -> Row:
    """A comment on a node."""
    moment = graph.nodes[place]['mtime']
    identifier = str(uuid.UUID(int=graph.random.getrandbits(128), version=4))
    content = f'Checked by hand: number {place} looks right.'
    return {
        'uuid': identifier, 'dbnode_id': pks[place], 'user_id': user, 'ctime': moment, 'mtime': moment,
        'content': content,
    }  # fmt: skip


def log(graph: Graph, pks: list[int], place: int) -> Row:
    """A log record of a process."""
    identifier = str(uuid.UUID(int=graph.random.getrandbits(128), version=4))
    message = f'step {place} took longer than was asked for'
    return {
        'uuid': identifier, 'dbnode_id': pks[place], 'time': graph.nodes[place]['mtime'], 'metadata': {'step': place},
        'loggername': 'aiida.orm.nodes.process', 'levelname': 'WARNING', 'message': message,
    }  # fmt: skip


def storage_of(home: Path, postgres: str | None) -> tuple[str, Row]:
    """The storage backend and its config."""
    if postgres is None:
        return 'core.sqlite_dos', {'filepath': str(home / 'repository' / 'bench')}
    uri = urllib.parse.urlsplit(postgres)
    return 'core.psql_dos', {
        'database_engine': 'postgresql_psycopg',
        'database_hostname': uri.hostname,
        'database_port': uri.port or 5432,
        'database_username': uri.username,
        'database_password': uri.password or 'none',
        'database_name': uri.path.lstrip('/'),
        'repository_uri': (home / 'repository' / 'bench').as_uri(),
    }


def main() -> None:
    """Make the profile that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('home', type=Path, help='configuration folder to make; must not exist')
    parser.add_argument('--nodes', type=int, default=60_000)
    parser.add_argument('--postgres', metavar='URI', help='postgresql://user@host:port/database, an empty database')
    parser.add_argument('--no-files', action='store_true', help='name the objects in the rows, but write none')
    args = parser.parse_args()
    if args.home.exists():
        parser.error(f'{args.home} exists already')
    home = args.home.resolve() / '.aiida'
    home.mkdir(parents=True)
    os.environ['AIIDA_PATH'] = str(home)

    from aiida import load_profile
    from aiida.manage.configuration import create_profile, get_config

    began = time.perf_counter()
    backend, settings = storage_of(home, args.postgres)
    config = get_config(create=True)
    create_profile(config, storage_backend=backend, storage_config=settings, name='bench', email='bench@example.org')
    config.set_default_profile('bench', overwrite=True).store()
    load_profile('bench')
    loose = next((home / 'repository' / 'bench').glob('**/loose'))
    contents = Contents(None if args.no_files else loose, seed=11)
    graph = build(args.nodes, contents)
    insert(graph)
    seconds = time.perf_counter() - began
    print(
        f'{args.home}: {len(graph.nodes)} nodes, {len(graph.links)} links, {contents.count} objects of '
        f'{contents.bytes / 1e6:.0f} MB, {seconds:.0f} s'
    )


if __name__ == '__main__':
    main()
