"""An error carries what can be done about it as data; the command line says which verb or option does it."""

from __future__ import annotations

import ast
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import get_args

import pytest

from ricordi import errors
from ricordi.cli.failures import explain
from ricordi.cli.remedies import WORDS, with_remedy
from ricordi.cli.tree import leaves
from ricordi.errors import LockedProfileError, MissingObject, RicordiError
from ricordi.remedies import Deed, Remedy

SOURCE = Path(errors.__file__).parent


def test_there_are_words_for_everything_that_can_be_done_and_for_nothing_else() -> None:
    assert set(WORDS) == set(get_args(Deed))


def deeds_used() -> set[str]:
    """The first argument of each `Remedy(…)` below the command line."""
    return {
        node.args[0].value
        for path in SOURCE.rglob('*.py')
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8')))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == 'Remedy'
        if node.args and isinstance(node.args[0], ast.Constant)
    }


def test_everything_that_can_be_done_is_what_some_error_advises() -> None:
    assert deeds_used() == set(get_args(Deed))


def test_verbs_and_options_that_are_advised_are_there() -> None:
    verbs = {' '.join(path) for path, _, _ in leaves()} | {'computer configure', 'profile setup'}
    for words in WORDS.values():
        for line in re.findall(r'`ricordi ((?:-p \{\} )?)([^`]*)`', words):
            assert any(line[1].startswith(verb) for verb in verbs), line


@pytest.mark.parametrize(
    ('message', 'remedy', 'told'),
    [
        ('it is so', None, 'it is so'),
        ('it is there', Remedy('overwrite'), 'it is there; --force overwrites it'),
        ('it is locked:\n  - by a\n  - by b', Remedy('wait'), 'it is locked, or wait with --wait:\n  - by a\n  - by b'),
        ('two lines\nof text', Remedy('show computer'), 'two lines\nof text: see `ricordi computer show`'),
        ('it is off', Remedy('enable computer', ("a' b",)), "it is off: see `ricordi computer enable 'a'\"'\"' b'`"),
        ('no', Remedy('list files', ('5', '{}')), "no: see `ricordi node repo ls 5 '{}'`"),
    ],
)
def test_what_can_be_done_is_said_after_the_message_and_before_its_list(
    message: str, remedy: Remedy | None, told: str
) -> None:
    assert with_remedy(message, remedy) == told
    assert explain(RicordiError(message, remedy=remedy)) == (f'ricordi: error: {told}', 1)


@pytest.mark.parametrize('kind', [kind for kind in vars(errors).values() if isinstance(kind, type)])
def test_every_error_takes_what_can_be_done_and_keeps_it_on_its_way_between_processes(kind: type[Exception]) -> None:
    if not issubclass(kind, RicordiError) or kind is errors.NotEnoughSpace:
        return
    error = kind('why', remedy=Remedy('wait'))
    again = pickle.loads(pickle.dumps(error))
    assert (str(error), error.remedy) == (str(again), again.remedy) == ('why', Remedy('wait'))


def test_errors_without_advice_have_none() -> None:
    assert MissingObject('gone').remedy is None
    assert str(LockedProfileError('it is locked', remedy=Remedy('wait'))) == 'it is locked'


def test_a_missing_profile_is_told_with_how_to_name_one(
    run_cli: Callable[..., CompletedProcess[str]], reference_home: Path
) -> None:
    config = reference_home / 'config.json'
    config.write_text(re.sub(r'"default_profile": "\w+",?', '', config.read_text()))
    done = run_cli('storage', 'info')
    assert done.returncode == 1
    assert 'names no default profile; ' in done.stderr
    assert done.stderr.endswith(': name one with -p, or set it with `ricordi profile set-default NAME`\n')
