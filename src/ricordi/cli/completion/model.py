"""What the shells need to know of each verb, read off its click command: options, their values, arguments."""

from __future__ import annotations

from dataclasses import dataclass, replace

import click

from ricordi.cli.main import load_command
from ricordi.cli.tree import GLOBAL_OPTIONS, TREE, Branch, leaves
from ricordi.services.nodes.log_levels import LEVELS


@dataclass(frozen=True, slots=True)
class CompletedValue:
    """What stands for the value of an option or argument.

    :param kind: `words`, `file`, `folder`, `any` (nothing to offer), or the name of something the program lists.
    :param several: whether all words that follow, up to the next option, are such values.
    """

    kind: str
    words: tuple[str, ...] = ()
    several: bool = False

    @property
    def text(self) -> str:
        """The kind, with the words where it is a list: `words:a b`; after a `*` where several values follow."""
        text = f'words:{" ".join(self.words)}' if self.kind == 'words' else self.kind
        return f'*{text}' if self.several else text


@dataclass(frozen=True, slots=True)
class CompletedOption:
    """An option: its names, its line of help, its value (None for a flag)."""

    names: tuple[str, ...]
    line: str
    value: CompletedValue | None


@dataclass(frozen=True, slots=True)
class CompletedVerb:
    """A verb: the words that lead to it, its options, what its arguments are."""

    path: str
    options: tuple[CompletedOption, ...]
    argument: CompletedValue | None


def verbs() -> list[CompletedVerb]:
    """All verbs of the tree; imports the module of each."""
    return [_verb(' '.join(path), load_command(place)) for path, _, place in leaves()]


def branches(branch: Branch | None = None, above: str = '') -> list[tuple[str, list[tuple[str, str]]]]:
    """For the program ('') and each noun: its words below with their lines of help."""
    branch = TREE if branch is None else branch
    found = [(above, [(word, line) for word, (line, _) in branch.items()])]
    for word, (_, place) in branch.items():
        if not isinstance(place, str):
            found += branches(place, f'{above} {word}'.strip())
    return found


def _verb(path: str, command: click.Command) -> CompletedVerb:
    context = click.Context(command, **command.context_settings)
    options = []
    argument = None
    for parameter in command.get_params(context):
        if isinstance(parameter, click.Option) and not parameter.hidden:
            options.append(_option(parameter))
        elif isinstance(parameter, click.Argument) and argument is None:
            argument = _value(parameter.type)
    return CompletedVerb(path, tuple(options), argument)


def _option(option: click.Option) -> CompletedOption:
    names = tuple(sorted([*option.opts, *option.secondary_opts], key=lambda name: not name.startswith('--')))
    line = (option.help or '').split('. ')[0].rstrip('.').replace('\n', ' ')
    value = None if option.is_flag or option.count else _value(option.type)
    if value is not None and getattr(option, 'takes_all_that_follows', False):
        value = replace(value, several=True)
    return CompletedOption(names, line, value)


def _value(kind: click.ParamType) -> CompletedValue:  # type: ignore[type-arg,unused-ignore]
    if isinstance(kind, click.Choice):
        return CompletedValue('words', tuple(map(str, kind.choices)))
    if isinstance(kind, click.Path):
        return CompletedValue('folder' if kind.dir_okay and not kind.file_okay else 'file')
    if isinstance(kind, click.File):
        return CompletedValue('file')
    return CompletedValue(getattr(kind, 'completion', 'any'))


COMMON_VALUES = {'--profile', '--archive', '--verbosity'}
"""Options with a value that mean the same wherever they stand."""

LEVEL_KIND = f'words:{" ".join(LEVELS)}'
"""The kind of value of `--verbosity`."""


def global_options() -> list[tuple[str, str]]:
    """The options that may stand before the verb, one name each, with their lines of help."""
    return [(name.split()[0], line) for names, line in GLOBAL_OPTIONS for name in names.split(', ')]


def value_cases(verbs: list[CompletedVerb]) -> list[tuple[list[str], str]]:
    """For scripts with a `case "$path|$option"`: patterns, and the kind of value (as `words:a b` where it is a list).

    The empty option stands for an argument; the empty kind says that a `-p` of this verb is a flag, not the profile.
    """
    cases = []
    for verb in verbs:
        for option in verb.options:
            if option.value is not None and not COMMON_VALUES & {*option.names}:
                cases.append(([f'{verb.path}|{name}' for name in option.names], option.value.text))
            elif option.value is None and '-p' in option.names:
                cases.append(([f'{verb.path}|-p'], ''))
        if verb.argument is not None:
            cases.append(([f'{verb.path}|'], verb.argument.text))
    return cases
