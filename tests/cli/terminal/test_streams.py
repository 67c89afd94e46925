"""Standard streams that are closed or full: a result is never lost in silence, a message is no reason to fail."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ricordi.cli.tree import leaves

RESULTS = ['--help', 'storage --help', 'storage info --help', 'profile list', 'storage info', 'node list -q', 'status']


def run_in_bash(words: str) -> subprocess.CompletedProcess[str]:
    """Run `ricordi` with these words and redirections in bash."""
    command = f'{sys.executable} -m ricordi {words}'
    return subprocess.run(['/bin/bash', '-c', command], capture_output=True, text=True, timeout=240)


@pytest.mark.parametrize('words', RESULTS)
def test_a_result_that_nobody_can_get_is_an_error(words: str, reference_home: Path) -> None:
    done = run_in_bash(f'{words} >&-')
    assert (done.returncode, done.stdout) == (1, '')
    assert done.stderr == 'ricordi: error: the result cannot be written to standard output: it is closed\n'


@pytest.mark.skipif(not Path('/dev/full').exists(), reason='needs /dev/full')
@pytest.mark.parametrize('words', RESULTS)
def test_a_result_that_finds_no_room_is_an_error_of_the_output_and_not_of_the_storage(
    words: str, reference_home: Path
) -> None:
    done = run_in_bash(f'{words} >/dev/full')
    assert done.returncode == 1
    assert done.stderr == 'ricordi: error: the result cannot be written to standard output: No space left on device\n'


@pytest.mark.skipif(not Path('/dev/full').exists(), reason='needs /dev/full')
def test_content_of_files_that_finds_no_room_is_an_error(reference_home: Path) -> None:
    listing = run_in_bash("-p mixed node list -q --where 'repository_metadata has_key o'").stdout.split()
    for pk in listing:
        path = run_in_bash(f'-p mixed node repo ls {pk}').stdout.split()[0].rstrip('/')
        if run_in_bash(f'-p mixed node repo cat {pk} {path} >/dev/null').returncode == 0:
            done = run_in_bash(f'-p mixed node repo cat {pk} {path} >/dev/full')
            assert (done.returncode, 'standard output' in done.stderr) == (1, True)
            return
    pytest.fail('no node with a file at its top')


@pytest.mark.parametrize('closed', ['<&-', '>&-', '2>&-', '<&- >&- 2>&-'])
def test_what_has_no_result_does_not_mind_closed_streams(closed: str, reference_home: Path) -> None:
    done = run_in_bash(f'-p mixed profile set-default mixed {closed}')
    assert done.returncode == 0
    assert 'error' not in done.stderr


@pytest.mark.parametrize('stream', ['2>&-', '2>/dev/full'])
def test_messages_that_nobody_can_get_do_not_end_up_among_the_results(stream: str, reference_home: Path) -> None:
    done = run_in_bash(f'-v profile list --format csv {stream}')
    assert done.returncode == 0
    assert done.stdout.startswith('name,')
    done = run_in_bash(f'node show 99999 {stream}')
    assert (done.returncode, done.stdout) == (1, '')


def test_no_file_of_the_storage_gets_the_number_of_a_closed_stream(reference_home: Path) -> None:
    done = run_in_bash('-p mixed storage maintain --full --yes -v <&- 2>&- >/dev/null')
    assert done.returncode == 0
    assert run_in_bash('-p mixed storage maintain --full --dry-run').returncode == 0


def test_a_reader_that_goes_away_is_no_error_to_talk_about(reference_home: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, 'w') as closed:  # noqa: PTH123
        for words in (['completion', 'bash'], ['node', 'list'], ['--help']):
            command = [sys.executable, '-m', 'ricordi', *words]
            done = subprocess.run(command, stdout=closed, stderr=subprocess.PIPE, text=True)
            assert (done.returncode, done.stderr) == (141, ''), words


def test_what_the_terminal_cannot_show_is_escaped(reference_home: Path) -> None:
    environment = {**os.environ, 'PYTHONIOENCODING': 'ascii:strict'}
    command = [sys.executable, '-m', 'ricordi', '--help']
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, '')
    assert 'VERB \\u2026' in done.stdout


@pytest.mark.skipif(not Path('/dev/full').exists(), reason='needs /dev/full')
def test_the_help_of_no_verb_is_lost_in_silence() -> None:
    words = ' '.join(leaves()[-1][0])
    assert run_in_bash(f'{words} --help >/dev/full').returncode == 1


C_LOCALE = {'LC_ALL': 'C', 'PYTHONUTF8': '0', 'PYTHONCOERCECLOCALE': '0'}


@pytest.mark.parametrize(
    'words', [['group', 'list'], ['group', 'list', '-q'], ['group', 'list', '--format', 'csv'], ['node', 'tree', '33']]
)
def test_characters_that_the_output_cannot_carry_are_escaped(run_cli, reference_home: Path, words: list[str]) -> None:
    done = run_cli(*words, env={**os.environ, **C_LOCALE})
    assert (done.returncode, done.stderr) == (0, '')
    assert '\\u2514' in done.stdout if 'tree' in words else '\\xfcn\\xef 100% _under' in done.stdout


@pytest.mark.parametrize('output_format', ['json', 'yaml'])
def test_what_programs_read_stays_valid_and_complete_where_the_output_has_ascii_only(
    run_cli, reference_home: Path, output_format: str
) -> None:
    done = run_cli('group', 'list', '--format', output_format, env={**os.environ, **C_LOCALE})
    assert 'ünï 100% _under' in {group['label'] for group in yaml.safe_load(done.stdout)}
    assert done.stdout.isascii()


def test_words_of_the_command_line_mean_the_same_in_a_locale_that_has_ascii_only(run_cli, reference_home: Path) -> None:
    assert run_cli('group', 'create', 'höö', env={**os.environ, **C_LOCALE}).returncode == 0
    assert run_cli('group', 'show', 'höö').returncode == 0
    assert run_cli('group', 'show', 'höö', env={**os.environ, **C_LOCALE}).returncode == 0


def test_paths_are_found_and_what_cannot_be_the_name_of_a_file_is_told_in_a_locale_that_has_ascii_only(
    run_cli, reference_home: Path, tmp_path: Path
) -> None:
    archive = tmp_path / 'höö.aiida'
    archive.write_bytes((Path(__file__).parents[2] / 'data' / 'reference.aiida').read_bytes())
    assert run_cli('archive', 'version', str(archive), env={**os.environ, **C_LOCALE}).returncode == 0
    run_cli('group', 'create', 'höö')
    done = run_cli('group', 'dump', 'höö', env={**os.environ, **C_LOCALE}, cwd=tmp_path)
    assert (done.returncode, 'LC_ALL' in done.stderr, 'bug' in done.stderr) == (1, True, False)
