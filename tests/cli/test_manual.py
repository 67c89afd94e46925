"""The manual pages: in step with the tree, part of the wheel, and read by groff without a complaint."""

import subprocess
import tomllib
from pathlib import Path

import pytest

from programs import needed
from ricordi.cli.generated import stale_files, write_or_check
from ricordi.cli.manual import pages, text
from ricordi.cli.tree import TREE, leaves

ROOT = Path(__file__).parents[2]
MAN = ROOT / 'man'


def test_the_pages_in_the_source_are_those_that_the_tree_makes() -> None:
    assert stale_files(MAN, pages()) == [], 'run: python -m ricordi.cli.manual --write man'


def test_there_is_a_page_for_the_program_and_for_each_noun() -> None:
    nouns = [word for word, (_, place) in TREE.items() if not isinstance(place, str)]
    assert sorted(pages()) == sorted(['ricordi.1', *(f'ricordi-{noun}.1' for noun in nouns)])


def test_each_verb_is_told_on_one_page_with_its_examples() -> None:
    told = '\n'.join(pages().values())
    for path, _, _ in leaves():
        assert told.count(f'.SS "{text(" ".join(path))}"\n') == 1


def test_the_wheel_and_the_source_distribution_have_the_pages() -> None:
    build = tomllib.loads((ROOT / 'pyproject.toml').read_text())['tool']['hatch']['build']['targets']
    assert build['wheel']['shared-data'] == {'man': 'share/man/man1'}
    assert 'man' in build['sdist']['include']


def test_groff_reads_the_pages_without_a_warning() -> None:
    names = sorted(map(str, MAN.glob('*.1')))
    done = subprocess.run(
        [needed('groff'), '-man', '-ww', '-Tutf8', *names], capture_output=True, text=True, check=True
    )
    assert done.stderr == ''
    assert 'ricordi storage maintain --full --dry-run' in done.stdout


@pytest.mark.parametrize(
    ('words', 'escaped'), [('.x', '\\&.x'), ("'x", "\\&'x"), ('a\\b', 'a\\eb'), ('é…', '\\[u00E9]...')]
)
def test_no_text_is_a_macro(words: str, escaped: str) -> None:
    assert text(words) == escaped


def test_what_is_out_of_step_is_named_and_written_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, files = tmp_path / 'new', {'a': '1', 'b': '2'}
    assert write_or_check('some.module', files, ['--check', str(folder)]) == 1
    assert write_or_check('some.module', files, ['--write', str(folder)]) == 0
    assert write_or_check('some.module', files, ['--check', str(folder)]) == 0
    (folder / 'left').touch()
    (folder / 'a').write_text('other')
    capsys.readouterr()
    assert write_or_check('some.module', files, ['--check', str(folder)]) == 1
    told = capsys.readouterr().err
    assert [name in told for name in ('new/a', 'new/b', 'new/left')] == [True, False, True]
    assert write_or_check('some.module', files, []) == 2
