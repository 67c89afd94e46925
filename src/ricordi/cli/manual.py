"""The pages of `man/`, `ricordi(1)` and one per noun: `python -m ricordi.cli.manual --write FOLDER` writes them.

They are written in the macros of man(7), which groff and mandoc both read.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

import click

from ricordi.cli.generated import write_or_check
from ricordi.cli.main import load_command
from ricordi.cli.tree import GLOBAL_OPTIONS, TREE, Branch, leaves
from ricordi.cli.verb import COMMON

CHANGED = '2026-11-27'
"""When the form of the pages has changed, which is the date that they bear: it is the same whoever writes them."""
TITLE = 'keeps the provenance of computational science'
ABOUT = (
    'Ricordi opens the profiles, databases, repositories and archives of AiiDA as they are, does the storage work many '
    'times faster, and loses nothing.'
)
EXIT_CODES = (
    ('0', 'Done.'),
    ('1', 'Failed.'),
    ('2', 'Wrong usage.'),
    ('3', 'The storage cannot be reached, or is corrupt.'),
    ('4', 'The schema of the database needs a migration.'),
    ('5', 'The profile is locked or in use: try later.'),
    ('6', 'Problems were found: objects are missing or damaged.'),
    ('7', 'Interrupted, out of time or out of room: the state is clean, and there is more to do.'),
    ('130', 'Interrupted by Ctrl-C elsewhere.'),
)
ENVIRONMENT = (('AIIDA_PATH', 'Where the configuration folder .aiida is looked for, before the home folder.'),)

Verbs = list[tuple[tuple[str, ...], str, str]]


def pages() -> dict[str, str]:
    """Name and text of each page."""
    alone: Branch = {word: (line, place) for word, (line, place) in TREE.items() if isinstance(place, str)}
    nouns: Branch = {word: (line, place) for word, (line, place) in TREE.items() if not isinstance(place, str)}
    made = {'ricordi.1': _page(_of_the_program(nouns, leaves(alone)))}
    for noun, (line, place) in nouns.items():
        assert not isinstance(place, str)
        made[f'ricordi-{noun}.1'] = _page(_of_a_noun(noun, line, leaves(place, (noun,)), nouns))
    return made


def _page(lines: Iterable[str]) -> str:
    return '\n'.join(lines) + '\n'


def _of_the_program(nouns: Branch, alone: Verbs) -> Iterator[str]:
    yield from _head('ricordi', TITLE)
    yield from ('.SH SYNOPSIS', '.B ricordi', '[OPTIONS] NOUN VERB ...')
    yield from ('.SH DESCRIPTION', text(ABOUT))
    yield '.SH NOUNS'
    for noun, (line, _) in nouns.items():
        yield from ('.TP', f'.BR ricordi\\-{text(noun)} (1)', text(line))
    yield '.SH OPTIONS'
    yield text('They may stand before the noun or after the verb.')
    yield from _definitions(GLOBAL_OPTIONS)
    yield '.SH VERBS WITHOUT A NOUN'
    for path, _, place in alone:
        yield from _verb(path, load_command(place))
    yield '.SH EXIT STATUS'
    yield from _definitions(EXIT_CODES)
    yield '.SH ENVIRONMENT'
    yield from _definitions(ENVIRONMENT)
    yield from _see_also(nouns, ())


def _of_a_noun(noun: str, line: str, verbs: Verbs, nouns: Branch) -> Iterator[str]:
    yield from _head(f'ricordi-{noun}', line.rstrip('.'))
    yield from ('.SH SYNOPSIS', f'.B ricordi {text(noun)}', 'VERB [OPTIONS] ...')
    yield '.SH DESCRIPTION'
    yield text('Options that all verbs take are told in')
    yield '.BR ricordi (1).'
    yield '.SH VERBS'
    for path, _, place in verbs:
        yield from _verb(path, load_command(place))
    yield from _see_also({other: nouns[other] for other in nouns if other != noun}, ('ricordi',))


def _head(name: str, line: str) -> Iterator[str]:
    yield '.\\" Written from the program: python -m ricordi.cli.manual --write man'
    yield f'.TH {text(name.upper())} 1 {CHANGED} Ricordi "User Commands"'
    yield from ('.SH NAME', f'{text(name)} \\- {text(line[0].lower() + line[1:])}')


def _verb(path: tuple[str, ...], command: click.Command) -> Iterator[str]:
    name = ' '.join(('ricordi', *path))
    context = click.Context(command, info_name=name, **command.context_settings)
    yield f'.SS "{text(" ".join(path))}"'
    yield from (f'.B {text(name)}', text(' '.join(command.collect_usage_pieces(context))))
    for paragraph in (command.help or '').split('\n\n'):
        yield from ('.PP', text(' '.join(paragraph.split())))
    yield from _options(command, context)
    examples: tuple[str, ...] = command.examples  # type: ignore[attr-defined]
    yield from ('.PP', 'Examples:' if len(examples) > 1 else 'Example:', '.PP', '.RS', '.nf')
    yield from map(text, examples)
    yield from ('.fi', '.RE')


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    records = [
        record
        for parameter in command.get_params(context)
        if getattr(parameter, 'group', COMMON) != COMMON and (record := parameter.get_help_record(context)) is not None
    ]
    yield from _definitions(records)


def _definitions(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, meaning in pairs:
        yield from ('.TP', f'.B {text(name)}', text(' '.join(meaning.split())) or '\\&')


def _see_also(nouns: Iterable[str], more: tuple[str, ...]) -> Iterator[str]:
    names = [*more, *(f'ricordi-{noun}' for noun in nouns)]
    yield '.SH SEE ALSO'
    for name in names:
        yield f'.BR {text(name)} (1){"" if name == names[-1] else ","}'


def text(words: str) -> str:
    """A line of text in which nothing is a macro or an escape, and a hyphen is one that can be pasted."""
    escaped = words.replace('\\', '\\e').replace('-', '\\-').replace('…', '...').replace('"', '\\(dq')
    escaped = ''.join(letter if letter.isascii() else f'\\[u{ord(letter):04X}]' for letter in escaped)
    return f'\\&{escaped}' if escaped[:1] in ('.', "'") else escaped


if __name__ == '__main__':
    sys.exit(write_or_check('ricordi.cli.manual', pages(), sys.argv[1:]))
