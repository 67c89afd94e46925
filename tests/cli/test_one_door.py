"""What reaches a terminal goes through one door, which leaves nothing in it that the terminal would obey."""

from __future__ import annotations

import ast
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import ricordi.cli
from ricordi.cli.terminal.streams import TerminalStream, harmless
from ricordi.manager import profile_context
from verb_table import QUERY, VERBS

SOURCE = Path(ricordi.cli.__file__).parent
ARCHIVE = Path(__file__).parents[1] / 'data' / 'reference.aiida'

RAW = {
    'terminal/streams.py': 'the door itself',
    'failures.py': 'puts nothing in the place of a stream that is gone',
    'terminal/signals.py': 'a constant text, written by a handler of signals',
    'node/repo.py': '`cat`: the content of a file, as it is',
    'calcjob/files.py': '`inputcat`, `outputcat`: the content of a file, as it is',
    'data/files.py': '`export`: the content of a file, as it is',
    'pages/output.py': 'a page as bytes, which was asked for with `-`',
    'shell.py': 'reads standard input',
    'node/graph.py': 'a drawing as bytes, which was asked for with `-`',
    'archive/output.py': 'an archive as bytes, off a terminal',
    'storage/usage_walk.py': 'a screen, of lines that are made harmless',
    'query.py': 'reads standard input',
    'tables.py': 'a table as bytes, off a terminal',
    'archive/importing.py': 'reads standard input',
    'identifiers.py': 'reads standard input',
}
"""The files that may reach a standard stream past its text."""

HOSTILE = 'n\x1b]0;owned\x07\x1b[2J\x9b31m\x85\u202etxt.exe\u2066\u2069\u200f\r\x08\x7f'
FORBIDDEN = re.compile('[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]')


def past_the_door(tree: ast.Module) -> Iterator[str]:
    """What reaches a stream or a terminal otherwise than by writing text to `sys.stdout` or `sys.stderr`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            if node.attr in ('buffer', '__stdout__', '__stderr__', 'write_commands', 'getpass', 'detach'):
                yield node.attr
            if node.attr == 'write' and isinstance(node.value, ast.Name) and node.value.id == 'os':
                yield 'os.write'
        if isinstance(node, ast.Constant) and node.value in ('/dev/tty', '/dev/stdout', '/dev/stderr'):
            yield str(node.value)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and '\x1b' in node.value:
            yield 'a command to the terminal'


def test_nothing_of_the_command_line_goes_past_the_door() -> None:
    texts = {path.relative_to(SOURCE).as_posix(): path.read_text() for path in SOURCE.rglob('*.py')}
    found = {name: set(past_the_door(ast.parse(text))) for name, text in texts.items()}
    found.pop('terminal/drawing.py')  # a bar by `rich`, of words that are ours
    assert {name for name, ways in found.items() if ways} <= set(RAW), found


def test_that_rule_finds_what_it_is_about() -> None:
    text = "sys.stdout.buffer.write(x); os.write(2, x); open('/dev/tty'); print('\\x1b[1m')"
    assert len(set(past_the_door(ast.parse(text)))) == 4


def test_text_keeps_its_lines_and_what_all_people_write() -> None:
    plain = 'Größe\t中文 \N{FAMILY}\u200d🏽 عربى\n— ok'
    assert harmless(plain) == plain
    assert harmless('a\x1b[0m\x9b\r\u202e') == r'a\x1b[0m\x9b\r\u202e'
    stream = TerminalStream(io.BytesIO(), encoding='utf-8')
    assert stream.write('\x1b\n') == 2
    stream.flush()
    assert stream.buffer.getvalue() == b'\\x1b\n'  # type: ignore[attr-defined]


# every verb ------------------------------------------------------------------------------------------------


@pytest.fixture
def hostile_home(reference_home: Path) -> Path:
    """The profile `mixed`, in which all that a stranger may choose is hostile."""
    with profile_context('mixed') as profile:
        path = Path(profile.storage_config['filepath']) / 'database.sqlite'
    import sqlite3

    with sqlite3.connect(path) as connection:
        for table, column in (
            ('db_dbgroup', 'label'),
            ('db_dbgroup', 'description'),
            ('db_dbnode', 'label'),
            ('db_dbnode', 'description'),
            ('db_dbcomputer', 'label'),
            ('db_dbcomputer', 'hostname'),
            ('db_dbcomputer', 'description'),
            ('db_dbuser', 'first_name'),
            ('db_dbuser', 'institution'),
            ('db_dbcomment', 'content'),
            ('db_dblog', 'message'),
        ):
            connection.execute(f'UPDATE {table} SET {column} = {column} || ?', (HOSTILE,))
        connection.execute('UPDATE db_dblink SET label = label || ?', (HOSTILE,))
        hostile = json.dumps({'process_state': 'excepted', 'exception': HOSTILE, HOSTILE: HOSTILE})
        connection.execute('UPDATE db_dbnode SET extras = ? WHERE id = 1', (hostile,))
        connection.execute('UPDATE db_dbnode SET process_type = ? WHERE process_type IS NOT NULL', (HOSTILE,))
    connection.close()
    return reference_home


SHOWN = [verb for verb, case in VERBS.items() if case.kind in ('shows', 'lists names')]


def test_no_verb_hands_a_terminal_what_it_would_obey(
    run_in_terminal: Callable[..., Any], hostile_home: Path, tmp_path: Path
) -> None:
    lines = [_words(verb, tmp_path) for verb in SHOWN]
    lines += [
        ['group', 'delete', '2'],
        ['group', 'show', HOSTILE],
        ['node', 'show', '1', '57'],
        ['node', 'delete', '57'],
        ['computer', 'show', '1'],
        ['computer', 'test', '1'],
        ['computer', 'disable', '1', HOSTILE],
        ['node', 'extras', 'show', '1'],
        ['node', 'tree', '57'],
        ['archive', 'info', f'/nowhere/{HOSTILE}'],
        ['archive', 'import', f'http://127.0.0.1:9/{HOSTILE}'],
        [HOSTILE],
        ['node', HOSTILE],
        ['node', 'show', f'--{HOSTILE}'],
        ['--debug', 'node', 'show', HOSTILE],
        ['-p', HOSTILE, 'status'],
    ]
    lines = [line for line in lines if not any('\x00' in word for word in line)]
    script = tmp_path / 'all.py'
    script.write_text(
        'import json, sys\n'
        'from ricordi.cli.main import run\n'
        'from ricordi.cli.terminal.streams import watch_streams\n'
        'watch_streams()\n'
        'sys.stdin = open("/dev/null")\n'
        'for line in json.load(open(sys.argv[1])):\n'
        '    print("LINE", json.dumps(line))\n'
        '    run(["-p", "mixed", *line] if line[0] != "-p" else line)\n'
        'print("THE END")\n'
    )
    (tmp_path / 'lines.json').write_text(json.dumps(lines))
    done = run_in_terminal(script, tmp_path / 'lines.json', program=[sys.executable])
    assert 'THE END' in done.screen, done.screen[-2000:]
    screen = re.sub('\x1b\\[(?:38;5;[0-9]+|0)m', '', done.screen.replace('\r', ''))  # colours of our own
    seen = FORBIDDEN.search(screen)
    assert seen is None, screen[max(0, seen.start() - 300) : seen.end() + 50]
    assert r'\x1b]0;owned\x07' in done.screen


def test_a_walk_hands_the_terminal_no_commands_but_its_own(
    run_in_terminal: Callable[..., Any], hostile_home: Path
) -> None:
    words = ('-p', 'mixed', 'storage', 'usage', '-i', '--by', 'group')
    done = run_in_terminal(*words, answers={'sorted by stored': '\x1b[B\rq'})
    assert done.returncode == 0
    own = re.compile('\x1b\\[(?:\\?1049[hl]|\\?25[hl]|H|2J|K|7m|0m)')
    seen = FORBIDDEN.search(own.sub('', done.screen).replace('\r', ''))
    assert seen is None, done.screen[max(0, seen.start() - 300) : seen.end() + 50]
    assert r'\x1b]0;owned\x07' in done.screen


def _words(verb: str, tmp_path: Path) -> list[str]:
    query = tmp_path / 'query.json'
    query.write_text(json.dumps(QUERY))
    words = [word.format(archive=ARCHIVE, tmp=tmp_path, query=query) for word in VERBS[verb].arguments]
    return [*verb.split(), *words]


def test_a_pipe_gets_what_is_there(
    run_cli: Callable[..., subprocess.CompletedProcess[str]], hostile_home: Path
) -> None:
    done = run_cli('-p', 'mixed', 'group', 'list', '--format', 'json')
    assert any(HOSTILE in group['label'] for group in json.loads(done.stdout))


def test_a_name_in_colour_holds_no_other_command(run_in_terminal: Callable[..., Any], hostile_home: Path) -> None:
    script = 'from ricordi.cli.terminal.streams import *; watch_streams(); '
    script += 'write_colored("a\\x1b[2Jb", "34;1"); print("x\\x1b[2Jy")'
    done = run_in_terminal('-c', script, program=[sys.executable])
    assert done.screen == '\x1b[34;1ma\\x1b[2Jb\x1b[0m\nx\\x1b[2Jy\n'
