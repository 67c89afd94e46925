"""Options that the pages name are those that the program takes; what is typed there is taken apart as told."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from ricordi.cli.main import global_option, is_global_option, load_command
from ricordi.cli.tree import FORMER, SILENT, find, leaves

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*.md'))]
PLACES = {' '.join(path): place for path, _, place in leaves()}


def command_lines(text: str) -> list[str]:
    """What stands after `ricordi` in blocks and in backticks, each up to what the shell would take for itself."""
    blocks = re.findall(r'^```.*?^```', text, re.DOTALL | re.MULTILINE)
    lines = [
        line for block in blocks for line in re.findall(r'(?:^|[\s/|(])ricordi ([^\n]*)', block.replace('\\\n', ' '))
    ]
    outside = re.sub(r'^```.*?^```', '', text, flags=re.DOTALL | re.MULTILINE)
    lines += [found.replace('\n', ' ') for found in re.findall(r'`ricordi ([^`]*)`', outside)]
    return [re.split(r'[|;>)<]|&&| #', line)[0] for line in lines]


def options_of(words: list[str]) -> tuple[str, set[str], list[str]] | None:
    """The verb that words lead to, the options that it takes, and those that are given; None: they lead to none."""
    path: list[str] = []
    place = find([])
    while words and not isinstance(place, str):
        if is_global_option(words[0]):
            words = words[global_option(words, 0)[0] :]
            continue
        word = FORMER.get((*path, words[0]), words[0])
        if word not in place:
            silent = SILENT.get(tuple(path))
            if silent is None:
                return None
            word, words = silent, [silent, *words]
        path.append(word)
        place, words = place[word][1], words[1:]
    if not isinstance(place, str):
        return None
    command = load_command(place)
    if not isinstance(command, click.Command):
        return None
    known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)} | {'-h', '--help'}
    given = [word.partition('=')[0] for word in words if re.match(r'--?[A-Za-z]', word)]
    return ' '.join(path), known, given


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_options_in_command_lines_are_taken(page: Path) -> None:
    unknown = []
    for line in command_lines(page.read_text(encoding='utf-8')):
        try:
            words = shlex.split(line)
        except ValueError:
            continue  # a quote that the shell's own signs have cut
        found = options_of(words)
        if found is not None:
            verb, known, given = found
            unknown += [f'{verb}: {word} ({line})' for word in given if not _is_known(word, known)]
    assert unknown == []


def _is_known(word: str, known: set[str]) -> bool:
    """Whether an option is known, also where its value, or other letters, are written right behind it."""
    return word in known or (word[1] != '-' and word[:2] in known)


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_options_that_stand_alone_belong_to_some_verb(page: Path) -> None:
    every = {'--version', '--help', '-h'}
    for place in PLACES.values():
        every |= {name for one in load_command(place).params for name in (*one.opts, *one.secondary_opts)}
    text = re.sub(r'^```.*?^```', '', page.read_text(encoding='utf-8'), flags=re.DOTALL | re.MULTILINE)
    named = set(re.findall(r'`(--[a-z][a-z-]+)(?:[ =][^`]*)?`', text))
    assert named - every <= OF_OTHERS


OF_OTHERS = {'--delete-after', '--broker-backend', '--db-backend'}
"""Options of other programs."""


def test_the_test_finds_what_is_wrong() -> None:
    (line,) = command_lines('```\n$ ricordi -p main node list --no-such -l 5 | less\n```')
    verb, known, given = options_of(shlex.split(line)) or ('', set(), [])
    assert (verb, [word for word in given if not _is_known(word, known)]) == ('node list', ['--no-such'])


def test_the_profile_is_named_after_the_verb_where_the_pages_say_so() -> None:
    """But for the verbs that have a `-p` of their own, which the page for users of verdi names."""
    of_their_own = {
        verb
        for verb, place in PLACES.items()
        for one in load_command(place).params
        if '-p' in one.opts and '--profile' not in one.opts
    }
    page = (ROOT / 'docs' / 'coming-from-verdi.md').read_text(encoding='utf-8')
    (told,) = re.findall(r'^- `-p` names the profile .*?(?=^- )', page, re.DOTALL | re.MULTILINE)
    assert {verb for verb in of_their_own if f'`{verb}`' not in ' '.join(told.split())} == set()


def test_characters_that_the_output_lacks_are_escaped_as_told(reference_home: Path) -> None:
    page = (ROOT / 'docs' / 'index.md').read_text(encoding='utf-8')
    (setting,) = re.findall(r'Characters that the encoding of the output lacks \(`(\w+=[\w.-]+)`\) are escaped', page)
    name, _, value = setting.partition('=')
    done = subprocess.run(
        [sys.executable, '-m', 'ricordi', '-q', '-p', 'mixed', 'group', 'list'],
        env={**os.environ, name: value},
        capture_output=True,
        timeout=240,
    )
    assert b'\\xfcn\\xef' in done.stdout
