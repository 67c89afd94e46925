"""The entry point: help without click, unknown words, global options, and how every error ends."""

import json
import shlex
from itertools import groupby
from pathlib import Path

import click
import pytest

from ricordi.cli.failures import explain
from ricordi.cli.main import load_command, run
from ricordi.cli.tree import TREE, leaves, overview
from ricordi.errors import ConfigurationError, CorruptStorage, LockedProfileError, NotEnoughSpace, UnreachableComputer


def test_help_of_the_program_names_every_noun(run_cli) -> None:
    done = run_cli('--help')
    assert done.returncode == 0
    assert done.stderr == ''
    for word, (line, _) in TREE.items():
        assert word in done.stdout
        assert line in done.stdout


@pytest.mark.parametrize('noun', [noun for noun, (_, place) in TREE.items() if not isinstance(place, str)])
def test_help_of_a_noun_names_its_verbs(run_cli, noun: str) -> None:
    done = run_cli(noun, '--help')
    assert done.returncode == 0
    assert done.stdout == overview([noun]) + '\n'


@pytest.mark.parametrize(
    ('path', 'line', 'place'), leaves(), ids=lambda value: ' '.join(value) if isinstance(value, tuple) else ''
)
def test_every_verb_has_the_help_that_the_tree_tells_and_an_example(
    path: tuple[str, ...], line: str, place: str
) -> None:
    command = load_command(place)
    context = click.Context(command, info_name=' '.join(('ricordi', *path)), **command.context_settings)
    text = command.get_help(context)
    assert (command.help or '').split('\n\n')[0].replace('\n', ' ').split('  ')[0].strip() == line
    assert command.examples
    assert all(
        example.split()[0] in ('ricordi', 'source') or '|' in example or '&& ricordi ' in example
        for example in command.examples
    )
    assert 'Common options:' in text


@pytest.mark.parametrize(
    ('path', 'line', 'place'), leaves(), ids=lambda value: ' '.join(value) if isinstance(value, tuple) else ''
)
def test_the_examples_of_every_verb_can_be_parsed(path: tuple[str, ...], line: str, place: str) -> None:
    command = load_command(place)
    for example in command.examples:
        if example.startswith('source '):
            continue
        reader = shlex.shlex(example, posix=True, punctuation_chars='|>&')
        reader.whitespace_split = True
        lines = [[*words] for is_end, words in groupby(reader, lambda word: not word.strip('|>&')) if not is_end]
        own = [words for words in map(without_global_options, lines) if tuple(words[: len(path)]) == path]
        assert own, example
        for words in own:
            command.make_context('test', words[len(path) :])


def without_global_options(words: list[str]) -> list[str]:
    """The words of a command line from the noun on; nothing if it is one of another program."""
    if words[:1] != ['ricordi']:
        return []
    words = words[1:]
    while words[0].startswith('-'):
        words = words[2 if words[0] == '-p' else 1 :]
    return words


def test_without_arguments_help_goes_to_stderr_and_the_code_is_that_of_wrong_usage(run_cli) -> None:
    done = run_cli()
    assert (done.returncode, done.stdout) == (2, '')
    assert 'Usage: ricordi' in done.stderr


def test_version_is_told(run_cli) -> None:
    from ricordi import __version__

    done = run_cli('--version')
    assert (done.returncode, done.stdout) == (0, f'ricordi {__version__}\n')


@pytest.mark.parametrize(
    ('arguments', 'told'),
    [
        (['storag'], 'did you mean `storage`'),
        (['storage', 'maintian'], 'did you mean `maintain`'),
        (['storage', 'maintain', '--ful'], "'--full'"),
        (['daemon', 'start'], 'use `verdi daemon`'),
        (['--nonsense', 'storage'], 'no option --nonsense'),
        (['-p'], 'needs the name of a profile'),
        (['storage', 'maintain', '--max-waste', '200'], 'from 0 to 100'),
        (['storage', 'maintain', '--wait', 'soon'], 'write it like 90s'),
        (['storage', 'maintain', '--repack', 'some'], "'auto', 'all', 'none'"),
        (['storage', 'maintain', '--no-repack', '--repack', 'all'], 'contradict'),
        (['storage', 'maintain', '--repack', 'all'], 'needs --full'),
        (['storage', 'maintain', '--max-waste', '5'], 'needs --full'),
        (['storage', 'maintain', 'extra'], 'extra'),
    ],
)
def test_wrong_usage_is_one_line_on_stderr_with_a_way_out(run_cli, arguments: list[str], told: str) -> None:
    done = run_cli(*arguments)
    assert (done.returncode, done.stdout) == (2, '')
    assert done.stderr.startswith('ricordi: error: ')
    assert told in done.stderr
    assert done.stderr.count('\n') == 1


@pytest.mark.parametrize('error', [LockedProfileError('held by 12'), CorruptStorage('torn'), NotEnoughSpace('full')])
def test_an_error_of_ours_ends_with_its_own_code(error: Exception) -> None:
    assert explain(error) == (f'ricordi: error: {error}', error.exit_code)


def test_a_full_disk_and_a_closed_folder_are_told_with_the_file_and_the_way_out() -> None:
    message, code = explain(OSError(28, 'No space left on device', '/data/x'))
    assert code == 3
    assert '/data/x' in message
    assert 'free some space' in message
    message, code = explain(PermissionError(13, 'Permission denied', '/data/y'))
    assert code == 3
    assert 'owner' in message


def test_a_full_disk_has_its_code_whatever_it_kept_from_being_done() -> None:
    error = ConfigurationError('cannot write config.json: No space left on device; nothing was changed')
    assert explain(error)[1] == 1
    error.__cause__ = OSError(28, 'No space left on device')
    assert explain(error)[1] == 3


def test_what_may_not_be_written_has_the_code_of_the_storage_where_it_is_of_it() -> None:
    refused = PermissionError(13, 'Permission denied')
    for error, code in ((ConfigurationError('cannot write config.json'), 3), (UnreachableComputer('no login'), 1)):
        error.__cause__ = refused
        assert explain(error)[1] == code


def test_a_word_that_is_none_of_those_to_choose_from_is_told_with_the_name_of_the_argument(
    run_cli,
) -> None:
    for words, name in ((('profile', 'use-backend', 'x', 'nothing'), 'BACKEND'), (('completion', 'tcsh'), 'SHELL')):
        done = run_cli(*words)
        assert (done.returncode, done.stdout) == (2, '')
        assert f"invalid value for '{name}': " in done.stderr
        assert 'is not one of ' in done.stderr


def test_an_unexpected_error_is_called_a_bug_in_two_lines_without_a_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('ricordi.cli.main.dispatch', lambda arguments: {}['absent'])
    assert run(['storage']) == 1
    told = capsys.readouterr().err
    assert 'unexpected KeyError' in told
    assert '--debug' in told
    assert 'Traceback' not in told
    assert run(['--debug', 'storage']) == 1
    assert 'Traceback' in capsys.readouterr().err


def test_ctrl_c_ends_with_130(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(arguments: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr('ricordi.cli.main.dispatch', interrupt)
    assert run([]) == 130
    assert capsys.readouterr().err == 'ricordi: interrupted\n'


def test_a_profile_named_before_the_verb_and_after_it_is_the_same(run_cli, reference_home: Path) -> None:
    shown = [
        run_cli('-p', 'mixed', 'profile', 'show', '--format', 'json'),
        run_cli('profile', 'show', '-p', 'mixed', '--format', 'json'),
        run_cli('--profile=mixed', 'profile', 'show', '--format', 'json'),
        run_cli('profile', '-pmixed', 'show', '--format', 'json'),
    ]
    assert {json.loads(done.stdout)['name'] for done in shown} == {'mixed'}
