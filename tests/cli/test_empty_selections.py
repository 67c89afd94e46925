"""Where a shell puts nothing in the place of a selection of nodes (`$(cat none.txt)`), there is nothing to do: 0."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ricordi.cli.identifiers import NodesArgument
from ricordi.cli.main import load_command
from ricordi.cli.tree import leaves

Run = Callable[..., subprocess.CompletedProcess[str]]
OTHERWISE = {
    'node rehash': 'all of them',
    'storage usage': 'all of them',
    'process show': 'a usage error, as of verdi',
    'process status': 'a usage error, as of verdi',
    'process report': 'a usage error, as of verdi',
}
"""Verbs that mean something else by no nodes at all."""
MORE = {
    'node extras set': ('a=1',),
    'node extras unset': ('-k', 'a'),
    'node delete': ('-f',),
    'group add-nodes': ('-f', '-G', 'numbers'),
    'group remove-nodes': ('-f', '-G', 'numbers'),
    'group move-nodes': ('-f', '-s', 'numbers', '-t', 'empty'),
    'node label': ('-L', 'new'),
    'node attributes': ('-k', 'value'),
}


def verbs_on_nodes() -> list[str]:
    """The verbs that take NODES, and the one that takes them among other words."""
    found = [
        ' '.join(path)
        for path, _, place in leaves()
        if any(isinstance(one, NodesArgument) for one in load_command(place).params)
    ]
    return sorted({*found, 'node extras set'} - set(OTHERWISE))


@pytest.mark.parametrize('verb', verbs_on_nodes())
def test_there_is_nothing_to_do(run_here: Run, reference_home: Path, verb: str) -> None:
    database = reference_home / 'repository' / 'mixed' / 'database.sqlite'
    before = database.read_bytes()
    done = run_here('-p', 'mixed', *verb.split(), *MORE.get(verb, ()))
    assert done.returncode == 0, done.stderr
    assert 'nothing to do' in done.stderr
    assert database.read_bytes() == before


def test_a_program_gets_an_empty_list(run_here: Run, reference_home: Path) -> None:
    assert run_here('-q', '-p', 'mixed', 'node', 'show', '--format', 'json').stdout == '[]\n'


@pytest.mark.parametrize('words', [('node', 'attributes'), ('node', 'extras', 'unset')], ids=' '.join)
def test_nodes_that_an_option_has_taken_are_not_taken_for_none(
    run_here: Run, reference_home: Path, words: tuple[str, ...]
) -> None:
    done = run_here('-p', 'mixed', *words, '-k', 'value', '42')
    assert (done.returncode, '-k takes all that follows it' in done.stderr) == (2, True)
