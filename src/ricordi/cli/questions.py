"""Values that a verb needs: from the command line, from a YAML file (`--config`), from a person, or by default."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from ricordi.cli.prompt import is_interactive
from ricordi.cli.verb import Function, option
from ricordi.errors import UsageError

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """A value that is asked for if it was not given.

    :param key: its name among the values and in the file.
    :param text: the question to a person.
    :param default: the value, or a function of the values before it; None: there is none.
    :param required: whether the command can go on without.
    :param hidden: whether the answer is a secret.
    """

    key: str
    text: str
    default: Any | Callable[[Values], Any] = None
    required: bool = True
    hidden: bool = False

    @property
    def flag(self) -> str:
        """The option that answers it."""
        return '--' + self.key.replace('_', '-')

    def default_for(self, values: Values) -> Any:
        """The default, given the values that are known by then."""
        return self.default(values) if callable(self.default) else self.default


def answer(
    questions: Sequence[Question], given: Values, config: Path | None, non_interactive: bool | None
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
        value = given.get(question.key)
        if value is None:
            value = in_file.get(question.key)
        if value is None:
            default = question.default_for(values)
            value = _ask(question, default) if asks else default
        if value is None and question.required:
            missing.append(question.flag)
        values[question.key] = value
    if missing:
        raise UsageError(f'missing: {", ".join(missing)}; give them as options or in a file with --config')
    return values


def read_config_file(path: Path, questions: Sequence[Question]) -> dict[str, Any]:
    """The values in a YAML file: names of options, with hyphens or underscores, without the dashes before them.

    :raises ricordi.errors.UsageError: it cannot be read, is not YAML, or names something that is not asked for.
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f'cannot read {path}: {error}') from None
    except yaml.YAMLError as error:
        raise UsageError(f'{path} is not YAML: {error}') from None
    if not isinstance(content, dict):
        raise UsageError(f'{path} must hold `name: value` lines')
    known = {question.key for question in questions}
    values = {str(key).replace('-', '_'): value for key, value in content.items()}
    for key in values:
        if key not in known:
            from ricordi.services.suggestion import did_you_mean

            raise UsageError(f'{path}: there is no option `{key}`{did_you_mean(key, known)}')
    return values


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
            type=click.Path(dir_okay=False, path_type=Path),
            group='Answers',
            help='Take values from a YAML file, `name: value` for each option.',
        )(function)

    return decorate


def _ask(question: Question, default: Any) -> Any:
    shown = '' if default is None and not question.required else default
    answered = click.prompt(
        question.text,
        default=shown,
        hide_input=question.hidden,
        show_default=not question.hidden and bool(shown),
        err=True,
        type=type(default) if isinstance(default, bool | int) else str,
    )
    return None if answered == '' and default is None else answered
