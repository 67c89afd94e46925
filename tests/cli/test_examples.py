"""The examples in the help of every verb, run word for word by bash in a profile in which what they name exists."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from both_programs import make_home
from ricordi.cli.main import load_command
from ricordi.cli.main import run as run_ricordi
from ricordi.cli.tree import leaves
from verb_table import QUERY

ARCHIVE = Path(__file__).parents[1] / 'data' / 'reference.aiida'
EXAMPLES = {' '.join(path): load_command(place).examples for path, _, place in leaves()}

ELSEWHERE = (
    'profile setup ricordi.psql_bucket',  # servers of that name
    'profile setup core.psql_dos',  # a server that lets ada in
    'computer test',
    'computer goto',  # a machine of that name
    'https://',
    '/data/bands',
    '/backup',
    '/mnt/',
    'storage usage -i',  # a terminal
    'storage move',  # a database of PostgreSQL
    'data core.trajectory export',  # a trajectory
    'jq .p.pk',  # a program that may not be here, and the query of the guide
)
"""What is not run: it needs something that is not here, or writes to where a test must not."""

ASKING = (
    'profile delete --keep-data old',
    "node label -L 'first run' 42 43",
    'group remove-nodes -G my-group 42',
    'group move-nodes -s inbox -t done 42 43',
    'node delete --clean-workdir 42',
)
"""These ask before they go on; off a terminal they end with the option that answers."""

BEFORE = {
    'profile setup': 'rm "$AIIDA_PATH/config.json"',
    'group relabel': 'ricordi -q group delete --yes new',
    'computer setup': 'ricordi -q computer relabel cluster other',
    'computer delete': 'ricordi -q computer duplicate cluster -n -L old-cluster',
    'computer enable': 'ricordi -q computer configure core.ssh cluster -n -u ada@example.org --username ada',
    'computer disable': 'ricordi -q computer configure core.ssh cluster -n -u ada@example.org --username ada',
    'computer configure core.ssh_async': 'ricordi -q computer relabel cluster other && ricordi -q computer setup -n '
    '-L cluster -H hpc.example.org -T core.ssh_async -S core.slurm',
    'computer export setup': 'rm cluster-setup.yaml',
    'computer export config': 'rm cluster-config.yaml && touch cluster.yaml',
    'storage index drop': 'ricordi -q storage index add extras._aiida_hash',
    'archive create': 'rm *.aiida',
    'data core.cif': 'become data.core.cif.CifData.',
    'data core.upf export ': 'become data.core.upf.UpfData.',
    'data core.upf exportfamily': 'become data.core.upf.UpfData. && mkdir pseudos && '
    'ricordi -q group relabel my-group my-family',
    'process': 'calculate',
    'calcjob': 'calculate',
}
"""What has to be done first, by the beginning of an example, so that what it makes is not there yet."""

CALCULATE = """
import json, os, sqlite3
database = sqlite3.connect(os.environ['AIIDA_PATH'] + '/repository/loose/database.sqlite', isolation_level=None)
tree = json.loads(database.execute('SELECT repository_metadata FROM db_dbnode WHERE id = 42').fetchone()[0])['o']
files = {name: tree['aiida.out'] for name in ('_aiidasubmit.sh', '_scheduler-stderr.txt', 'aiida.in', 'aiida.out')}
files['.aiida'] = {'o': {'job_tmpl.json': tree['aiida.out']}}
state = {'process_label': 'Pw', 'process_state': 'finished', 'exit_status': 0, 'sealed': True}
state |= {'input_filename': 'aiida.in', 'output_filename': 'aiida.out'}

def change(pk, node_type, attributes, tree):
    values = (node_type, json.dumps(attributes), json.dumps(tree), pk)
    database.execute('UPDATE db_dbnode SET node_type = ?, attributes = ?, repository_metadata = ? WHERE id = ?', values)

columns = 'node_type, label, description, ctime, mtime, repository_metadata, user_id'
database.execute(f"INSERT INTO db_dbnode (id, uuid, {columns}) SELECT 4712, '1' || substr(uuid, 2), {columns} "
                 'FROM db_dbnode WHERE id = 4711')
change(42, 'process.calculation.calcjob.CalcJobNode.', state, {'o': files})
change(43, 'process.calculation.calcjob.CalcJobNode.', state, {})
change(4711, 'data.core.folder.FolderData.', {}, {'o': files})
change(4712, 'data.core.dict.Dict.', {'energy': -1.5, 'energy_units': 'eV'}, {})
for output, label in ((4711, 'retrieved'), (4712, 'output_parameters')):
    values = (42, output, label, 'create')
    database.execute('INSERT INTO db_dblink (input_id, output_id, label, type) VALUES (?, ?, ?, ?)', values)
"""
"""Makes node 42 a calculation job with files and results, and the node of uuid 9c1d another one."""

BECOME = """
import os, sqlite3, sys
database = sqlite3.connect(os.environ['AIIDA_PATH'] + '/repository/loose/database.sqlite', isolation_level=None)
database.execute('UPDATE db_dbnode SET node_type = ? WHERE id = 42', (sys.argv[1],))
"""
"""Makes node 42, which holds a file, one of another type."""

GROUPS = ('my-group', 'old', 'new', 'bands', 'phonons', 'inbox', 'done', 'dicts', 'failed', 'projects/silicon/bulk')
PIPED_TO = ('less', 'jq', 'mail', 'dot')


class World:
    """A folder with a configuration, `home`, and files of the names in the examples; as new before each of them."""

    def __init__(self, folder: Path) -> None:
        self.now, self._template, self._programs = folder / 'now', folder / 'template', folder / 'programs'
        self.now.mkdir()
        self.home = make_home(self.now)
        os.environ['AIIDA_PATH'] = str(self.home)
        self._name_profiles()
        storage = self.home / 'repository' / 'loose'
        with closing(sqlite3.connect(storage / 'database.sqlite')) as database:
            self._give_nodes_what_is_named(database)
            database.commit()
        self._fill()
        self._write_files()
        shutil.copytree(self.now, self._template)

    def _name_profiles(self) -> None:
        path = self.home / 'config.json'
        config = json.loads(path.read_text())
        names = {'loose': 'main', 'mixed': 'old', 'aborted_before_commit': 'scratch', 'aborted_after_remove': 'test'}
        config['profiles'] = {names[old]: config['profiles'][old] for old in names}
        config['default_profile'] = 'main'
        path.write_text(json.dumps(config))

    def _give_nodes_what_is_named(self, database: sqlite3.Connection) -> None:
        """Node 42 has files, 43 a uuid that begins with 9c1d; 4711 and comment 7 are there."""
        (key,) = database.execute(
            "SELECT atom FROM db_dbnode, json_tree(repository_metadata) AS tree WHERE tree.key = 'k' LIMIT 1"
        ).fetchone()
        tree = {'o': {'aiida.out': {'k': key}, 'raw_input': {'o': {'aiida.in': {'k': key}}}}}
        database.execute(
            "UPDATE db_dbnode SET node_type = 'data.core.singlefile.SinglefileData.', process_type = NULL, "
            'repository_metadata = ?, attributes = ? WHERE id = 42',
            (json.dumps(tree), json.dumps({'filename': 'aiida.out', 'exit_status': 1, 'exit_message': 'a'})),
        )
        database.execute("UPDATE db_dbnode SET uuid = '9c1d' || substr(uuid, 5) WHERE id = 43")
        database.execute(
            "UPDATE db_dbnode SET attributes = json_set(attributes, '$.exit_status', 0, '$.exit_message', 'b') "
            'WHERE id = 43'
        )
        database.execute('UPDATE db_dbcomment SET id = 7 WHERE id = 1')
        (free,) = database.execute(
            'SELECT max(id) FROM db_dbnode WHERE id NOT IN (SELECT input_id FROM db_dblink UNION '
            'SELECT output_id FROM db_dblink UNION SELECT dbnode_id FROM db_dbgroup_dbnodes UNION '
            'SELECT dbnode_id FROM db_dbcomment UNION SELECT dbnode_id FROM db_dblog)'
        ).fetchone()
        database.execute('UPDATE db_dbnode SET id = 4711 WHERE id = ?', (free,))

    def _fill(self) -> None:
        commands = [['user', 'configure', '--email', 'ada@example.org', '-n']]
        for label in GROUPS:
            commands += [['group', 'create', label], ['group', 'add-nodes', '-G', label, '42', '43']]
        commands.append(['node', 'extras', 'set', '42', '43', 'quality=good', 'tags=1', 'weight=2'])
        for command in commands:
            assert run_ricordi(['-q', *command]) == 0, command

    def _write_files(self) -> None:
        for name in ('export', 'published', 'paper', 'results', 'old'):
            shutil.copy(ARCHIVE, self.now / f'{name}.aiida')
        query = {**QUERY, 'path': [{**QUERY['path'][0], 'tag': 'node'}], 'project': {'node': ['uuid']}}  # type: ignore[index]
        (self.now / 'failed.json').write_text(json.dumps(query))
        (self.now / 'profile.yaml').write_text('profile_name: fresh\nemail: ada@example.org\n')
        (self.now / 'cluster-setup.yaml').write_text(
            'label: cluster\nhostname: hpc.example.org\ntransport: core.ssh\nscheduler: core.slurm\n'
        )
        (self.now / 'cluster-config.yaml').write_text('username: ada\n')
        (self.now / '.ssh').mkdir()
        (self.now / '.ssh' / 'id_ed25519').touch()
        self._programs.mkdir()
        for name in PIPED_TO:
            (self._programs / name).write_text('#!/bin/sh\nexec cat\n')
        (self._programs / 'gpg').write_text(f'#!/bin/sh\n[ "$1" = --encrypt ] && exec cat\nexec cat {ARCHIVE}\n')
        (self._programs / 'calculate').write_text(f'#!{sys.executable}\n{CALCULATE}')
        (self._programs / 'become').write_text(f'#!{sys.executable}\n{BECOME}')
        for program in self._programs.iterdir():
            program.chmod(0o755)

    def run(self, example: str) -> subprocess.CompletedProcess[str]:
        """Have bash run an example; any part of a pipe that fails makes it fail."""
        shutil.rmtree(self.now)
        shutil.copytree(self._template, self.now)
        verb = example.removeprefix('ricordi ').removeprefix('-p main ')
        first = [line for start, line in BEFORE.items() if verb.startswith(start)]
        path = os.pathsep.join((str(self._programs), str(Path(sys.executable).parent), os.environ['PATH']))
        return subprocess.run(
            ['bash', '-euo', 'pipefail', '-c', '\n'.join([*first, example])],
            cwd=self.now,
            env={**os.environ, 'PATH': path, 'AIIDA_PATH': str(self.home), 'HOME': str(self.now)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
        )


@pytest.fixture(scope='module')
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('AIIDA_PATH', '')  # put back at the end
        return World(tmp_path_factory.mktemp('world'))


@pytest.mark.parametrize('verb', EXAMPLES)
def test_the_examples_do_what_they_show(world: World, verb: str) -> None:
    for example in EXAMPLES[verb]:
        if any(word in example for word in ELSEWHERE):
            continue
        done = world.run(example)
        if example.removeprefix('ricordi ') in ASKING:
            assert (done.returncode, '--yes' in done.stderr) == (2, True), (example, done.stderr)
        else:
            assert done.returncode == 0, (example, done.stderr)
            assert 'error' not in done.stderr, (example, done.stderr)
