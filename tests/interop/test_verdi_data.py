"""`data` in verdi and here, on the same profile: what they print."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from both_programs import Command, make_home, run_verdi
from ricordi.cli.main import run as run_ricordi

pytestmark = pytest.mark.interop

MAKE = """
import io, pathlib, sqlite3, sys
import numpy as np
from aiida import load_profile, orm
from aiida.manage import get_manager
from aiida.plugins import DataFactory
load_profile('mixed')
Structure = DataFactory('core.structure')

def structure(cell, sites, label, periodic=True):
    made = Structure(cell=cell, pbc=(periodic, periodic, True))
    for symbol, position in sites:
        made.append_atom(position=position, symbols=symbol)
    made.label = label
    return made.store().pk

water = structure([[5, 0.1, 0], [0, 6, 0.25], [0, 0, 7.123456789012]],
                  [('H', (0, 0, 0.7)), ('O', (0, 0, 0)), ('H', (0.7, 0, 1e-7)), ('C', (-1.5, 3, 3))], 'w ä', False)
structure([[4, 0, 0], [0, 4, 0], [0, 0, 4]], [('Ba', (0, 0, 0)), ('Ti', (2, 2, 2))] + [('O', (2, 2, 0))] * 3, '')
alloy = Structure(cell=[[3, 0, 0], [0, 3, 0], [0, 0, 3]])
alloy.append_atom(position=(0, 0, 0), symbols=['Fe', 'Co'], weights=[0.5, 0.25], name='FC')
alloy.store()
run = DataFactory('core.array.trajectory')()
run.set_trajectory(['O', 'H'], np.arange(12.).reshape(2, 2, 3) / 7, stepids=np.array([60, 70]),
                   cells=np.array([np.eye(3) * 2, np.eye(3) * 3]))
run.store()
array = orm.ArrayData()
for name, value in (('x', np.arange(6).reshape(2, 3)), ('y', np.array([1.5, np.pi])), ('b', np.array([True])),
                    ('s', np.array(['a', 'bc'])), ('f', np.float32([1 / 3])), ('o', np.asfortranarray(np.eye(2)))):
    array.set_array(name, value)
array.store()
words = orm.Dict({'b': 1, 'a': {'z': [1, 2], 'y': None}, 'c': 1e-300}).store()
text = orm.SinglefileData(io.BytesIO(b'one line'), filename='h.txt').store()
cif = orm.SinglefileData(io.BytesIO(b'data_x'), filename='1.cif')
cif.base.attributes.set_many({'formulae': ['C2 O2', None], 'source': {'uri': 'http://example.org/1.cif'}})
cif.store()
orm.Group('some').store().add_nodes([orm.load_node(water), alloy])
names = {'water': water, 'alloy': alloy.pk, 'run': run.pk, 'array': array.pk, 'dict': words.pk, 'text': text.pk}
names |= {'cif': cif.pk, 'remote': orm.QueryBuilder().append(orm.RemoteData, project='id').first(flat=True)}
path = get_manager().get_profile().storage_config['filepath']
database = sqlite3.connect(pathlib.Path(path) / 'database.sqlite')
database.execute("UPDATE db_dbnode SET node_type = 'data.core.cif.CifData.' WHERE id = ?", (cif.pk,))
database.commit()
print(__import__('json').dumps(names))
"""
"""A CIF file that AiiDA would parse with a library that is not here, so that it becomes one afterwards."""

TABLES: dict[str, Command] = {
    **{f'structures, {mode}': ('core.structure', 'list', '-A', '-f', mode) for mode in ('hill', 'reduce', 'count')},
    'compact': ('core.structure', 'list', '-A', '-f', 'count_compact'),
    'hill compact': ('core.structure', 'list', '-A', '-r', '-f', 'hill_compact'),
    'of the default user': ('core.structure', 'list', '-r'),
    'with elements': ('core.structure', 'list', '-A', '-r', '-e', 'O', 'Si'),
    'of a group': ('core.structure', 'list', '-A', '-G', 'some'),
    'recent': ('core.structure', 'list', '-A', '-p', '1'),
    'trajectories': ('core.trajectory', 'list', '-A'),
    'cif files': ('core.cif', 'list', '-A'),
    'a remote folder': ('core.remote', 'show', '{remote}'),
}
TEXTS: dict[str, Command] = {
    'xyz': ('core.structure', 'export', '{water}'),
    'xsf': ('core.structure', 'export', '-F', 'xsf', '{water}'),
    'trajectory': ('core.trajectory', 'export', '-F', 'xsf', '{run}'),
    'file': ('core.singlefile', 'content', '{text}'),
    'cif': ('core.cif', 'content', '{cif}'),
    'dict': ('core.dict', 'show', '{dict}'),
    'dict as yaml': ('core.dict', 'show', '{dict}', '-f', 'yaml'),
    'arrays': ('core.array', 'show', '{array}'),
    'arrays of a trajectory': ('core.array', 'show', '{run}'),
}
"""What both print to the last character, but for blank lines at the end."""
MIXTURE: Command = ('core.structure', 'export', '{alloy}')


@pytest.fixture(scope='module')
def printed(tmp_path_factory: pytest.TempPathFactory, aiida_python: str) -> tuple[Path, dict[str, int], dict[str, Any]]:
    """The configuration folder, the nodes by name, what verdi prints for each of the commands."""
    home = make_home(tmp_path_factory.mktemp('data'))
    environment = {**os.environ, 'AIIDA_PATH': str(home)}
    made = subprocess.run([aiida_python, '-c', MAKE], env=environment, check=True, capture_output=True, text=True)
    nodes = json.loads(made.stdout.splitlines()[-1])
    commands = TABLES | TEXTS | {'mixture': MIXTURE}
    answers = run_verdi(aiida_python, home, [('data', *filled(words, nodes)) for words in commands.values()])
    return home, nodes, dict(zip(commands, answers, strict=True))


def filled(words: Command, nodes: dict[str, int]) -> list[str]:
    return [word.format(**nodes) for word in words]


def lines(text: str) -> list[list[str]]:
    """The words of each line, without rules under headings and the total."""
    kept = [line for line in text.splitlines() if line.strip() and not line.startswith('Total results')]
    return [line.split() for line in kept if not set(line) <= set('- ')]


def test_both_print_the_same(printed: tuple[Path, dict[str, int], dict[str, Any]], here: Callable[..., str]) -> None:
    home, nodes, answers = printed
    for name, words in (TABLES | TEXTS).items():
        verdi, ours = answers[name], here(home, 'data', *filled(words, nodes))
        assert verdi['code'] == 0, (name, verdi['out'])
        if name in TEXTS:
            assert ours.rstrip('\n') == verdi['out'].rstrip('\n'), name
        else:
            assert lines(re.sub('\t', ' ', ours)) == lines(verdi['out']), name


def test_what_a_mixture_cannot_say_is_refused_by_both(
    printed: tuple[Path, dict[str, int], dict[str, Any]], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    home, nodes, answers = printed
    monkeypatch.setenv('AIIDA_PATH', str(home))
    words = filled(MIXTURE, nodes)
    assert (answers['mixture']['code'], run_ricordi(['-p', 'mixed', 'data', *words])) == (1, 1)
    assert 'mixture' in capfd.readouterr().err
