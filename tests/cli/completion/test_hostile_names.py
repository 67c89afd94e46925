"""Real shells complete labels that hold what a shell would run: after Enter they are one word, and nothing has run."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from programs import needed
from ricordi import orm
from ricordi.backend.rows import EntityKind
from ricordi.manager import profile_context

Run = Callable[..., subprocess.CompletedProcess[str]]

SCRIPTS = Path(__file__).parents[3] / 'completions'
READY = 'ready>'
SHELLS = {
    'bash': (
        ['bash', '--norc', '--noprofile', '-i'],
        f"bind 'set bell-style none'; bind 'set enable-bracketed-paste off'; source {SCRIPTS / 'ricordi.bash'}; "
        "PS1='rea''dy>'\n",
    ),
    'zsh': (
        ['zsh', '-f', '-i'],
        "PS1='rea''dy>'; autoload -Uz compinit; compinit -u -C -d $ZSH_FUNCTIONS; "
        f'source {SCRIPTS / "_ricordi"}; unsetopt beep\n',
    ),
}
LABELS = {
    'sub': 'sub$(touch "$PROOF")x',
    'tick': 'tick`touch $PROOF`y',
    'quote': """quote"'$(touch $PROOF)'"z""",
    'semi': 'semi;touch $PROOF;&|>$PROOF #',
    'back': r'back\$(touch $PROOF)\\`touch $PROOF`',
    'bang': 'bang!!$(touch $PROOF)!x',
    'brace': '~brace{a,b}*?[c]$((1+1))${PROOF}',
}


@pytest.fixture
def labels(reference_home: Path) -> None:
    """Groups of these labels in the profile `mixed`."""
    with profile_context('mixed'):
        for label in (*LABELS.values(), 'line\nfeed', 'esc\x1b[2J', 'turned\u202etxt', '--yes'):
            group = orm.Group(label='of AiiDA').store()
            group.backend.update(EntityKind.GROUP, group.pk, {'label': label})  # AiiDA lets any label through


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program `ricordi` that gives names, and writes down the words that it was run with otherwise."""
    import os
    import sys

    folder, said = tmp_path / 'bin', tmp_path / 'said'
    folder.mkdir()
    (folder / 'ricordi').write_text(
        f'#!/bin/bash\n[[ $1 == _names ]] && exec {sys.executable} -m ricordi "$@"\n'
        f'printf "%s\\0" "$@" > {said}\necho do""ne:\n'
    )
    (folder / 'ricordi').chmod(0o755)
    monkeypatch.setenv('PATH', f'{folder}{os.pathsep}{os.environ["PATH"]}')
    monkeypatch.setenv('PROOF', str(tmp_path / 'proof'))
    monkeypatch.setenv('LC_ALL', 'C.UTF-8')
    monkeypatch.setenv('HISTFILE', '')
    return said


@pytest.mark.parametrize('shell', SHELLS)
@pytest.mark.parametrize('quote', ['', '"', "'"], ids=['plain', 'double', 'single'])
def test_a_completed_label_is_one_word_and_runs_nothing(
    run_in_terminal: Callable[..., Any], shell: str, quote: str, labels: None, program: Path, tmp_path: Path
) -> None:
    (_, *options), setup = SHELLS[shell]
    for start, label in LABELS.items():
        if start == 'bang' and quote == '"':
            continue  # bash cannot say that there: nothing is offered, and the quote stays open
        program.unlink(missing_ok=True)
        typed = start if not label.startswith('~') else f'~{start}' if quote else f'\\~{start}'
        run = run_in_terminal(
            program=[needed(shell), *options],
            answers={
                '% ': setup,
                '# ': setup,
                '$ ': setup,
                READY: f'ricordi -p mixed group show {quote}{typed}\t\n',
                'done:': 'exit\n',
            },
        )
        assert not (tmp_path / 'proof').exists(), (label, run.screen)
        assert program.read_text().split('\0')[:-1] == ['-p', 'mixed', 'group', 'show', label], run.screen


def test_fish_quotes_what_it_inserts(labels: None, program: Path, tmp_path: Path) -> None:
    source = f'source {SCRIPTS / "ricordi.fish"}; complete -C --escape $argv[1]'
    for start, label in LABELS.items():
        command = [needed('fish'), '--no-config', '-c', source, f'ricordi -p mixed group show {start}']
        offered = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        if not offered:
            assert label.startswith('~')
            continue
        subprocess.run([needed('fish'), '--no-config', '-c', f'ricordi -p mixed group show {offered[0]}'], check=True)
        assert program.read_text().split('\0')[:-1] == ['-p', 'mixed', 'group', 'show', label]
        assert not (tmp_path / 'proof').exists()


def test_names_that_would_write_on_the_terminal_or_look_like_options_are_not_offered(
    run_cli: Run, labels: None
) -> None:
    for start in ('line', 'esc', 'turned', '--'):
        assert run_cli('_names', 'group', start, 'mixed').stdout == ''
    assert run_cli('_names', 'group', 'sub', 'mixed').stdout == LABELS['sub'] + '\n'
