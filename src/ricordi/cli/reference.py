"""The pages of `docs/commands/`, a page per noun: `python -m ricordi.cli.reference --write FOLDER` writes them."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ricordi.cli.main import load_command
from ricordi.cli.tree import TREE, Branch, leaves
from ricordi.cli.verdi_verbs import table

OTHERS = 'others'
"""The page of the verbs that stand by themselves, without a noun."""

VERDI = 'verdi'
"""The page that sets the verbs of verdi against ours."""

WRITTEN = 'This page is written from the program: `python -m ricordi.cli.reference --write docs/commands`.'


def write_pages(folder: Path) -> None:
    """Write all pages into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / f'{name}.md').write_text(text, encoding='utf-8')


def pages() -> dict[str, str]:
    """Name and text of each page."""
    nouns = {word: (line, place) for word, (line, place) in TREE.items() if not isinstance(place, str)}
    alone: Branch = {word: (line, place) for word, (line, place) in TREE.items() if isinstance(place, str)}
    made = {noun: _page(f'ricordi {noun}', line, leaves(place, (noun,))) for noun, (line, place) in nouns.items()}
    ours = {' '.join(path): text for path, text, _ in leaves()}
    made[VERDI] = f'# The verbs of verdi and of ricordi\n\n{WRITTEN}\n\n{table(ours)}\n'
    made[OTHERS] = _page('ricordi …', 'Verbs that stand by themselves.', leaves(alone))
    return made


def _page(title: str, line: str, verbs: list[tuple[tuple[str, ...], str, str]]) -> str:
    parts = [f'# {title}', line, WRITTEN]
    parts += ['\n'.join(f'- [`{" ".join(path)}`](#{_anchor(path)}): {text}' for path, text, _ in verbs)]
    parts += [_section(path, load_command(place)) for path, _, place in verbs]
    return '\n\n'.join(parts) + '\n'


def _anchor(path: tuple[str, ...]) -> str:
    return 'ricordi-' + '-'.join(path).replace('.', '').replace(' ', '-')


def _section(path: tuple[str, ...], command: click.Command) -> str:
    name = ' '.join(('ricordi', *path))
    context = click.Context(command, info_name=name, **command.context_settings)
    usage = command.collect_usage_pieces(context)
    examples = '\n'.join(f'$ {example}' for example in command.examples)  # type: ignore[attr-defined]
    parts = [f'## {name}', f'`{" ".join((name, *usage))}`', _paragraphs(command.help or '')]
    parts += [f'```console\n{examples}\n```', *_tables(command, context)]
    return '\n\n'.join(parts)


def _paragraphs(text: str) -> str:
    return '\n\n'.join(' '.join(part.split()) for part in text.split('\n\n'))


def _tables(command: click.Command, context: click.Context) -> list[str]:
    groups: dict[str, list[str]] = {}
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        group = getattr(parameter, 'group', None)
        if record is not None and group is not None and group != 'Common options':
            names, text = (part.replace('|', '\\|') for part in record)
            groups.setdefault(group, []).append(f'| `{names}` | {" ".join(text.split())} |')
    return [f'| {group} | |\n|---|---|\n' + '\n'.join(rows) for group, rows in groups.items()]


if __name__ == '__main__':
    if len(sys.argv) != 3 or sys.argv[1] != '--write':
        sys.exit('usage: python -m ricordi.cli.reference --write FOLDER')
    write_pages(Path(sys.argv[2]))
