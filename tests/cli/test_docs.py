"""The documentation is in step with the program."""

import re
from pathlib import Path

import pytest

from ricordi import errors
from ricordi.cli.reference import pages
from ricordi.cli.tree import leaves

DOCS = Path(__file__).parents[2] / 'docs'
VERBS = {' '.join(path) for path, _, _ in leaves()}


def test_the_pages_of_the_commands_are_those_that_the_program_writes() -> None:
    written = {path.stem: path.read_text(encoding='utf-8') for path in (DOCS / 'commands').glob('*.md')}
    assert written == pages(), 'run: python -m ricordi.cli.reference --write docs/commands'


def test_verbs_in_the_table_for_users_of_verdi_exist() -> None:
    text = (DOCS / 'coming-from-verdi.md').read_text(encoding='utf-8')
    named = set(re.findall(r'^\| [^|]+ \| `ricordi ([^`]+)` \|', text, re.MULTILINE))
    assert named
    assert named <= VERBS


@pytest.mark.parametrize('page', sorted(DOCS.glob('*.md')), ids=lambda page: page.name)
def test_links_between_the_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r'\]\(([^)#:]+)(?:#[^)]*)?\)', page.read_text(encoding='utf-8')):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize('page', sorted(DOCS.glob('*.md')), ids=lambda page: page.name)
def test_commands_in_the_pages_exist(page: Path) -> None:
    text = page.read_text(encoding='utf-8')
    for line in re.findall(r'^(?:\$ )?ricordi (.+)$', text, re.MULTILINE):
        words = re.sub(r'(-p|--archive) \S+', '', line).split('#')[0].split('|')[0].split()
        words = [word for word in words if not word.startswith('-')]
        assert any(' '.join(words).startswith(verb) for verb in VERBS), line


def test_every_exit_code_of_an_error_is_explained() -> None:
    text = (DOCS / 'exit-codes.md').read_text(encoding='utf-8')
    codes = {
        error.exit_code
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, errors.RicordiError)
    }
    assert {int(code) for code in re.findall(r'^\| (\d+) \|', text, re.MULTILINE)} >= codes | {0, 130}


def test_every_option_of_maintain_is_in_its_page() -> None:
    from ricordi.cli.storage.storage import maintain

    text = (DOCS / 'storage-maintain.md').read_text(encoding='utf-8')
    for option in maintain.params:
        if getattr(option, 'group', '') != 'Common options':
            assert any(f'{name}' in text for name in option.opts), option.name
