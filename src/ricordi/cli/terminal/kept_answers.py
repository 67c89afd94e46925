"""What a person has typed as answers is not lost where the command fails later: the command line that repeats it."""

from __future__ import annotations

import shlex
import sys
from typing import Any

import click

from ricordi.cli.terminal.help_pages import continued
from ricordi.cli.terminal.hidden_words import without_passwords
from ricordi.cli.terminal.screen import width

_WORDS = 'ricordi.words'
_ANSWERS = 'ricordi.answers'
_SECRETS = 'ricordi.secrets'


def keep_words(context: click.Context, words: list[str]) -> None:
    """Keep the words after the verb, as they were given."""
    context.meta[_WORDS] = words


def keep_answer(flag: str, value: Any, secret: bool) -> None:
    """Keep an answer that a person has typed.

    :param flag: the option that gives it.
    :param secret: it is to be typed again.
    """
    context = click.get_current_context(silent=True)
    if context is not None:
        answers = context.meta.setdefault(_SECRETS if secret else _ANSWERS, {})
        answers[flag] = value


def note_answers(context: click.Context, error: BaseException) -> None:
    """Add to an error the command line that repeats what was typed; no secret is in it."""
    answers = context.meta.get(_ANSWERS)
    if not answers:
        return
    words = [*context.command_path.split(), *without_passwords(context.meta.get(_WORDS, []))]
    for flag, value in answers.items():
        words += [_switch(context, flag, value)] if isinstance(value, bool) else [flag, str(value)]
    room = width(sys.stderr)
    line = shlex.join(words)
    asked = f' ({", ".join(context.meta[_SECRETS])} will be asked for again)' if _SECRETS in context.meta else ''
    lines = [line] if room is None else continued(line, room - 2)
    error.add_note('\n'.join([f'What you have typed, to repeat it{asked}:', *(f'  {part}' for part in lines)]))


def _switch(context: click.Context, flag: str, value: bool) -> str:
    """The flag that says yes or no."""
    option = next((one for one in context.command.params if flag in one.opts), None)
    return flag if value or option is None or not option.secondary_opts else option.secondary_opts[0]
