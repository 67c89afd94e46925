"""Values that a verb needs: from the command line, from a YAML file (`--config`), from a person, or by default."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from ricordi.cli.parameters import PathName
from ricordi.cli.remedies import message_of
from ricordi.cli.terminal.kept_answers import keep_answer
from ricordi.cli.terminal.prompt import is_interactive, read_answer
from ricordi.cli.terminal.prose import prose
from ricordi.cli.terminal.streams import harmless
from ricordi.cli.verb import Function, option
from ricordi.errors import RicordiError, UsageError, ValidationError
from ricordi.files import read_regular

_LONGEST_FILE = 1 << 20
"""Bytes of a file of answers."""

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """A value that is asked for if it was not given.

    :param key: its name among the values and in the file.
    :param text: the question to a person.
    :param default: the value, or a function of the values before it; None: there is none.
    :param required: whether the command can go on without.
    :param hidden: whether the answer is a secret.
    :param convert: makes a value of what was given, or raises a ValidationError; a default is not converted.
    :param applies: whether to ask a person at all, given the values that are known by then.
    :param lines: whether the answer may have many lines: a person may write it in an editor.
    :param words: whether a file may have it as a list of words.
    :param check: refuses a value that cannot be used, for a reason that lies outside of it (a name is taken): a person
        hears of it before the next question. Where nobody is asked, what is done with it tells.
    """

    key: str
    text: str
    default: Any | Callable[[Values], Any] = None
    required: bool = True
    hidden: bool = False
    convert: Callable[[Any], Any] | None = None
    applies: Callable[[Values], bool] | None = None
    lines: bool = False
    words: bool = False
    check: Callable[[Any], object] | None = None

    @property
    def flag(self) -> str:
        """The option that answers it."""
        return '--' + self.key.replace('_', '-')

    def default_for(self, values: Values) -> Any:
        """The default, given the values that are known by then."""
        return self.default(values) if callable(self.default) else self.default

    def refuse(self, value: Any) -> None:
        """Refuse a value that cannot be used.

        :raises ricordi.errors.RicordiError: telling why.
        """
        if self.check is not None and value not in (None, ''):
            self.check(value)

    def converted(self, value: Any, place: str | None = None) -> Any:
        """What was given, as a value.

        :param place: where it was given, for the message; None: a person has just typed it.
        :raises ricordi.errors.UsageError: it cannot be meant.
        """
        if value is None or self.convert is None:
            return value
        try:
            return self.convert(value)
        except ValidationError as error:
            raise UsageError(str(error) if place is None else f'{place}: {error}') from None


def answer(
    questions: Sequence[Question], given: Values, config: str | None, non_interactive: bool | None
) -> dict[str, Any]:
    """A value for each question: the one given, the one in the file, a person's, the default, in this order.

    :param given: values from the command line; None where there is none.
    :param non_interactive: never ask; None: ask where there is a terminal.
    :raises ricordi.errors.UsageError: something is missing and there is nobody to ask; all missing options are named.
    """
    in_file = read_config_file(config, questions) if config is not None else {}
    asks = is_interactive() and not non_interactive
    if non_interactive is False and not asks:
        raise UsageError('--interactive asks questions and there is no terminal to ask on: use -n and give the options')
    values: dict[str, Any] = {}
    missing = []
    for question in questions:
        value = question.converted(given.get(question.key), question.flag)
        if value is None and in_file.get(question.key) is not None:
            value = question.converted(in_file[question.key], f'{config}: `{question.key}`')
        if value is not None and asks:
            question.refuse(value)
        if value is None:
            default = question.default_for(values)
            applies = question.applies is None or question.applies(values)
            value = _ask(question, default) if asks and applies else default
            if asks and applies and value != default:
                keep_answer(question.flag, value, question.hidden)
        if value is None and question.required:
            missing.append(question.flag)
        values[question.key] = value
    if missing:
        raise UsageError(f'missing: {", ".join(missing)}; give them as options or in a file with --config')
    return values


def read_config_file(path: str, questions: Sequence[Question]) -> dict[str, Any]:
    """The values in a YAML file: names of options, with hyphens or underscores, without the dashes before them.

    :param path: of the file, or its web address.
    :returns: texts as they stand in the file, as if typed on a command line; lists of texts; None for null.
    :raises ricordi.errors.UsageError: it cannot be read, is not YAML, names something that is not asked for, or holds a
        list or a mapping where a value is asked for.
    :raises ricordi.errors.UnreachableAddress: the address does not yield it.
    """
    import yaml

    try:
        content = yaml.load(_text_of(path), _loader())
    except OSError as error:
        raise UsageError(f'cannot read {path}: {error.strerror}') from None
    except UnicodeDecodeError:
        raise UsageError(f'cannot read {path}: it is no text in UTF-8') from None
    except yaml.YAMLError as error:
        raise UsageError(f'{path} is not YAML: {error}') from None
    except (
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        RecursionError,
        OverflowError,
    ) as error:  # of values that no option has
        raise UsageError(f'{path} is not YAML of `name: value` lines: {type(error).__name__}') from None
    if not isinstance(content, dict):
        raise UsageError(f'{path} must hold `name: value` lines')
    known = {question.key: question for question in questions}
    values = {str(key).replace('-', '_'): value for key, value in content.items()}
    for key in values:
        if key not in known:
            from ricordi.services.suggestion import did_you_mean

            raise UsageError(f'{path}: there is no option `{key}`{did_you_mean(key, known)}')
        _check_shape(values[key], known[key], path)
    return values


def _check_shape(value: Any, question: Question, path: str) -> None:
    """Refuse a list or a mapping where a file should have one value.

    :raises ricordi.errors.UsageError: naming the key and the file.
    """
    parts = value if isinstance(value, list) and question.words else [value]
    if any(isinstance(part, list | dict | set | tuple) for part in parts):
        kind = 'a mapping' if isinstance(value, dict) else 'a list'
        raise UsageError(f'{path}: `{question.key}` takes one value, not {kind}')


def _loader() -> Any:
    """A safe reader of YAML that knows null, and else has each value as the text that stands there.

    So that `label: 007`, `label: no` or `label: 2025-01-01` is what it looks like.
    """
    import yaml

    kept = ('tag:yaml.org,2002:null', 'tag:yaml.org,2002:merge')
    resolvers = {
        letter: [(tag, pattern) for tag, pattern in known if tag in kept]
        for letter, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return type('AsWritten', (yaml.SafeLoader,), {'yaml_implicit_resolvers': resolvers})


def _text_of(path: str) -> str:
    from ricordi.services.addresses import is_address

    if not is_address(path):
        content = read_regular(path)
        if len(content) > _LONGEST_FILE:
            raise UsageError(f'{path} is longer than {_LONGEST_FILE:,} bytes: it is no file of answers')
        return content.decode()
    from ricordi.services.archive.web import fetch_text

    return fetch_text(path)


def question_options() -> Callable[[Function], Function]:
    """`--config` and `-n/--non-interactive`, `-I/--interactive`, as verdi has them."""

    def decorate(function: Function) -> Function:
        function = option(
            '-n/-I',
            '--non-interactive/--interactive',
            'non_interactive',
            default=None,
            group='Answers',
            help='Never ask, take defaults; or insist on asking. [default: ask on a terminal]',
        )(function)
        return option(
            '--config',
            type=PathName(dir_okay=False),
            group='Answers',
            help='Take values from a YAML file or the web address of one, `name: value` for each option.',
        )(function)

    return decorate


def _ask(question: Question, default: Any) -> Any:
    """What a person answers; `!` is an empty answer, as in verdi, where Enter would take a default."""
    if question.lines:
        return _ask_lines(question, default)
    told = '' if question.hidden or default in ('', None) else f' [{default}]'
    while True:
        answered = _typed(f'{question.text}{told}', hidden=question.hidden)
        if answered == '' and default is None:
            if question.required:
                continue
            return None
        try:
            value = _meant(question, answered, default)
            question.refuse(value)
        except RicordiError as error:
            click.echo(prose(f'Error: {message_of(error)}', sys.stderr), err=True)
        else:
            return value


def _typed(question: str, *, hidden: bool = False) -> str:
    """The line that a person types, without its end.

    :raises click.Abort: if the input has ended.
    """
    asked = f'{harmless(question)}:'
    if hidden:
        from getpass import getpass

        try:
            return getpass(f'{asked} ')
        except EOFError:
            raise click.Abort from None
    answer = read_answer(asked)
    if not answer:
        raise click.Abort
    return answer.removesuffix('\n')


def _meant(question: Question, answered: str, default: Any) -> Any:
    """The value of what a person typed."""
    if answered in ('', str(default)) and default is not None:
        return default
    if isinstance(default, bool | int) and question.convert is None:
        kind: click.ParamType[Any] = click.BOOL if isinstance(default, bool) else click.INT
        try:
            return kind.convert(answered, None, None)
        except click.BadParameter as error:
            raise UsageError(error.message) from error
    return question.converted('' if answered == '!' and not question.required else answered)


def _ask_lines(question: Question, default: str) -> str:
    """The line that a person types, or the lines that are written in an editor."""
    as_it_is = 'as it is' if default else 'none'
    answered = _typed(f'{question.text} (Enter: {as_it_is}, e: in an editor)')
    if answered.strip() == 'e':
        written = click.edit(default, extension='.bash')
        return default if written is None else written.rstrip('\n')
    return '' if answered == '!' else answered or default
