"""`ricordi node comment`: add, show, update, remove."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def comment(run_here: Run, each_profile: str) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a verb of `node comment` on each profile."""
    return lambda *words, **kwargs: run_here('-p', each_profile, 'node', 'comment', *words, **kwargs)


def shown(comment: Run, *words: object) -> list[dict]:
    return json.loads(comment('show', *words, '--format', 'json').stdout)


def test_a_comment_is_written_about_several_nodes(comment: Run) -> None:
    done = comment('add', '-N', 2, 3, '--', 'too smäll\nby far')
    assert (done.returncode, done.stdout) == (0, '')
    found = shown(comment, 3, 2)
    assert [(one['node_pk'], one['content'], one['user']) for one in found] == [
        (pk, 'too smäll\nby far', 'alice@example.org') for pk in (3, 2)
    ]
    assert 'too smäll\nby far\n' in comment('show', 2).stdout


def test_a_comment_is_changed_and_removed(comment: Run) -> None:
    comment('add', '-N', 2, '--', 'before')
    (one,) = shown(comment, 2)
    assert comment('update', one['pk'], 'after').returncode == 0
    (changed,) = shown(comment, 2)
    assert (changed['content'], changed['ctime']) == ('after', one['ctime'])
    assert changed['mtime'] > one['mtime']
    assert comment('remove', one['pk']).returncode == 2
    assert comment('remove', '-n', one['pk']).returncode == 0
    assert comment('remove', '--yes', one['pk']).returncode == 0
    assert shown(comment, 2) == []
    assert 'No comments.' in comment('show', 2).stderr


def test_the_comments_of_one_user_can_be_asked_for(comment: Run, run_here: Run, each_profile: str) -> None:
    one = run_here('-p', each_profile, 'node', 'list', '-q', '--where', 'label == one').stdout.strip()
    every = shown(comment, one)
    assert {found['user'] for found in every} == {'alice@example.org', 'bob@example.org'}
    assert shown(comment, '-u', 'bob@example.org', one) == [
        found for found in every if found['user'] == 'bob@example.org'
    ]
    assert comment('show', '-u', 'nobody@example.org', one).returncode == 1


@pytest.mark.parametrize('words', [('remove', '--yes', 99999), ('update', 99999, 'text')])
def test_a_comment_that_is_not_there_is_named(comment: Run, words: tuple[object, ...]) -> None:
    done = comment(*words)
    assert done.returncode == 1
    assert 'there is no comment 99999' in done.stderr


def test_without_a_terminal_the_text_has_to_be_given(comment: Run) -> None:
    done = comment('add', '-N', 1)
    assert done.returncode == 2
    assert 'CONTENT' in done.stderr


def test_on_a_terminal_an_editor_is_opened(
    run_in_terminal, run_here: Run, reference_home, tmp_path, monkeypatch
) -> None:
    editor = tmp_path / 'editor'
    editor.write_text('#!/bin/sh\necho "written by hand" > "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv('EDITOR', str(editor))
    assert run_in_terminal('node', 'comment', 'add', '-N', '2').returncode == 0
    (found,) = json.loads(run_here('node', 'comment', 'show', 2, '--format', 'json').stdout)
    assert found['content'] == 'written by hand'


def test_a_dash_is_the_text_on_standard_input(comment: Run) -> None:
    assert comment('add', '-N', 2, '--', '-', stdin='too smäll\nby far\n').returncode == 0
    (one,) = shown(comment, 2)
    assert one['content'] == 'too smäll\nby far'
    assert comment('update', one['pk'], '-', stdin='better\n').returncode == 0
    (one,) = shown(comment, 2)
    assert one['content'] == 'better'


@pytest.mark.parametrize('words', [('add', '-N', 2, '--', '-'), ('update', 1, '-')], ids=lambda words: words[0])
def test_an_empty_standard_input_is_no_text(comment: Run, words: tuple[object, ...]) -> None:
    before = shown(comment, 2)
    done = comment(*words, stdin=' \n')
    assert (done.returncode, done.stderr.count('\n')) == (2, 1)
    assert 'nothing came on standard input' in done.stderr
    assert shown(comment, 2) == before


def test_nodes_and_text_cannot_both_be_on_standard_input(comment: Run) -> None:
    done = comment('add', '-N', '-', '--', '-', stdin='2\n')
    assert done.returncode == 2
    assert 'cannot both come from standard input' in done.stderr
    assert shown(comment, 2) == []
