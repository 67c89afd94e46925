"""docs/json-output.md and the program agree: each verb prints the keys that are documented, and no others."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from verb_table import VERBS

Run = Callable[..., subprocess.CompletedProcess[str]]

PAGE = Path(__file__).parents[2] / 'docs' / 'json-output.md'
DATA = Path(__file__).parents[1] / 'data'
SHAPES = {
    'sums': '*sums*',
    'report': '`storage maintain`',
    'plan': '`node delete`',
    'state': 'A *state*',
    'verified': 'A *verified*',
    'neighbour': 'A *neighbour*',
}
"""Where the tables of shapes are that others refer to by a word in italics."""

CALLS: dict[str, list[str]] = {
    **{verb: [*case.arguments] for verb, case in VERBS.items() if case.kind in ('shows', 'lists names')},
    'profile dump': ['--all', '--path', '{tmp}/dump'],
    'storage maintain': ['--full', '--yes'],
    'storage verify': ['--read'],
    'node delete': ['--dry-run', '1'],
    'group delete': ['--dry-run', '--delete-nodes', 'numbers'],
    'computer delete': ['--dry-run', '--delete-nodes', 'cluster'],
    'archive create': ['{tmp}/new.aiida', '--nodes', '1'],
    'archive import': ['{archive}'],
    'tour': ['--nodes', '10'],
    'group list': ['-a', '-A', '-C'],
    'node show': ['4', '21', '22', '57', '1'],
}
"""Command lines that print all that is documented, but for what stands in `NOT_HERE`."""

ELSEWHERE = {'query'}
"""Verbs whose keys depend on the question; they have tests of their own."""

NOT_HERE = {'archive import': {'relabelled.LABEL'}}
"""Keys that need circumstances which the reference profile does not have."""


def sections() -> dict[str, dict[str, str]]:
    """For each heading of the page: what its table says, key by key."""
    found: dict[str, dict[str, str]] = {}
    for part in re.split(r'^##+ ', PAGE.read_text(encoding='utf-8'), flags=re.MULTILINE)[1:]:
        heading, _, body = part.partition('\n')
        rows = re.findall(r'^\| (`.+?) \| (.+) \|$', body, re.MULTILINE)
        found[heading] = {key: text for keys, text in rows for key in re.findall(r'`([^`]+)`', keys)}
    return found


def documented(heading: str, detailed: bool = True) -> set[str]:
    """The keys of a section, with those of the shapes it refers to in their places."""
    found: set[str] = set()
    for key, text in sections()[heading].items():
        shape = re.search(r'\*(\w+)\*', text)
        if shape:
            found |= {f'{key}.{inner}' for inner in documented(SHAPES[shape[1]])}
        elif detailed or not text.startswith('with `--detailed`'):
            found.add(key)
    return found


def printed(value: Any, above: str = '') -> Iterator[str]:
    """The keys of what a verb printed, in the form of the page."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from printed(inner, f'{above}.{key}' if above else key)
    elif isinstance(value, list) and value and all(isinstance(inner, dict) for inner in value):
        for inner in value:
            yield from printed(inner, f'{above}[]' if above else '')
    elif above:
        yield above


def fits(key: str, pattern: str) -> bool:
    """Whether a printed key is meant by a documented one: capitals stand for any name, dots included."""
    regex = re.sub(r'[A-Z]{3,}', '.+', re.escape(pattern))
    return re.fullmatch(regex, key) is not None


def is_empty_place(key: str, patterns: set[str]) -> bool:
    """Whether a printed key is that of an empty array or object, or of a null, with documented keys below it."""
    return any(pattern.startswith((f'{key}.', f'{key}[].')) for pattern in patterns)


@pytest.fixture
def keys_of_run(run_here: Run, reference_home: Path, tmp_path: Path) -> Callable[..., set[str]]:
    """The keys that a verb prints on the reference profile, with more options."""
    loose = reference_home / 'repository' / 'mixed' / 'container' / 'loose'
    next(path for path in loose.rglob('*') if path.is_file()).unlink()  # so that there are problems to be told
    (reference_home / 'access' / 'mixed').mkdir(parents=True, exist_ok=True)
    (reference_home / 'access' / 'mixed' / '1.pid').write_text('')  # so that there is somebody to be listed

    def run(verb: str, *more: str) -> set[str]:
        words = [word.format(archive=DATA / 'reference.aiida', tmp=tmp_path) for word in CALLS[verb]]
        if verb in ('storage maintain', 'computer delete'):
            (reference_home / 'access' / 'mixed' / '1.pid').unlink()
        if verb == 'storage index list':
            run_here('-p', 'mixed', 'storage', 'index', 'add', 'attributes.process_state')
        done = run_here('-p', 'mixed', *verb.split(), *words, *more, '--format', 'json')
        assert done.returncode in (0, 6), done.stderr
        return set(printed(json.loads(done.stdout)))

    return run


@pytest.mark.parametrize('verb', sorted(set(CALLS) - ELSEWHERE))
def test_the_documented_keys_are_those_that_are_printed(keys_of_run: Callable[..., set[str]], verb: str) -> None:
    for detailed in {False, '--detailed' in str(sections()[f'`{verb}`'])}:
        patterns = documented(f'`{verb}`', detailed)
        keys = keys_of_run(verb, *(['--detailed'] if detailed else []))
        unknown = {key for key in keys if not any(fits(key, pattern) for pattern in patterns)}
        assert {key for key in unknown if not is_empty_place(key, patterns)} == set(), 'printed, not documented'
        absent = {pattern for pattern in patterns if not any(fits(key, pattern) for key in keys)}
        absent = {pattern for pattern in absent if not any(is_empty_place(key, {pattern}) for key in keys)}
        assert absent - NOT_HERE.get(verb, set()) == set(), 'documented, not printed'


def test_every_verb_that_shows_something_is_in_the_page() -> None:
    headings = {heading.strip('`') for heading in sections()}
    assert set(CALLS) <= headings
