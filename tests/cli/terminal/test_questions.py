"""Questions to a person: each answer is checked before the next, and nothing typed is lost."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from ricordi.cli.terminal.kept_answers import keep_answer, keep_words, note_answers
from ricordi.errors import ProfileConfigurationError, WrongValue
from ricordi.services.profiles.answers import check_new_folder, check_new_name, check_repository_uri


def test_a_wrong_answer_is_asked_anew_and_what_was_typed_can_be_repeated(
    run_in_terminal: Callable[..., Any], reference_home: Path
) -> None:
    answers = {
        'Name of the new profile': 'mixed\n',
        'already;': 'fresh one\n',
        'Email address': 'ada\n',
        'write it like': 'ada@example.org\n',
        'First name': 'Ada\n',
        'Last name': '\x03',
    }
    done = run_in_terminal('profile', 'setup', 'core.sqlite_dos', '--institution', 'here', answers=answers)
    assert done.returncode == 130
    screen = done.screen.replace('\\\n', '')  # a shell takes it for one line, too
    (command,) = [line.strip() for line in screen.splitlines() if line.startswith('  ricordi ')]
    words = ['--profile-name', 'fresh one', '--email', 'ada@example.org', '--first-name', 'Ada']
    assert shlex.split(command) == ['ricordi', 'profile', 'setup', 'core.sqlite_dos', '--institution', 'here', *words]


INTERRUPTED_WHILE_ASKING = """
import os, signal, sys
from ricordi.cli.terminal.questions import Question, answer
from ricordi.cli.terminal.streams import TerminalStream, watch_streams

watch_streams()
flush = TerminalStream.flush

def interrupted(stream):
    flush(stream)
    if asked:
        os.kill(os.getpid(), signal.SIGINT)

TerminalStream.flush = interrupted
asked = True
try:
    answer([Question('name', 'Name', default='x')], {}, None, None)
except KeyboardInterrupt:
    asked = False
    print('interrupted')
"""


def test_a_ctrl_c_that_comes_as_the_question_is_written_is_heard(run_in_terminal: Callable[..., Any]) -> None:
    done = run_in_terminal(program=[sys.executable, '-c', INTERRUPTED_WHILE_ASKING])
    assert 'Name' in done.screen
    assert 'interrupted' in done.screen


def test_the_command_line_that_repeats_what_was_typed_has_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    command = click.Command('x', params=[click.Option(['--double/--no-double'], default=None)])
    context = click.Context(command, info_name='ricordi x')
    error = ValueError()
    note_answers(context, error)
    assert not hasattr(error, '__notes__')
    keep_words(context, ['--database-password', 'secret', '-n'])
    with context:
        keep_answer('--label', "ada's", secret=False)
        keep_answer('--double', False, secret=False)
        keep_answer('--password', 'secret', secret=True)
    note_answers(context, error)
    (note,) = error.__notes__
    assert 'secret' not in note
    assert '--password will be asked for again' in note
    assert note.splitlines()[1].endswith("""-n --label 'ada'"'"'s' --no-double""")


def test_a_name_that_is_taken_is_known_before_anything_is_made(reference_home: Path) -> None:
    check_new_name('new')
    with pytest.raises(ProfileConfigurationError, match='already'):
        check_new_name('mixed')


def test_a_name_is_checked_where_there_is_no_configuration(empty_home: Path) -> None:
    check_new_name('first')
    assert not (empty_home / 'config.json').exists()


def test_a_folder_in_the_way_of_which_a_file_stands_is_refused(tmp_path: Path) -> None:
    check_new_folder(tmp_path / 'new' / 'deep')
    (tmp_path / 'file').write_text('')
    with pytest.raises(WrongValue, match='is a file'):
        check_new_folder(tmp_path / 'file' / 'deep')
    check_repository_uri(f'file://{tmp_path}/new')
    for wrong in (str(tmp_path), 'http://x/y', f'file://{tmp_path}/file/x'):
        with pytest.raises(WrongValue):
            check_repository_uri(wrong)
