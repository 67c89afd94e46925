"""The entry point: finds the verb, runs it, and turns every error into a message and an exit code."""

from __future__ import annotations

import gc
import sys

from ricordi.cli.terminal.screen import WHEN, settle
from ricordi.cli.terminal.streams import watch_streams
from ricordi.cli.tree import ELSEWHERE, FORMER, SILENT, find, overview
from ricordi.errors import UsageError

FLAGS = {'-v': '--verbose', '--verbose': '--verbose', '-q': '--quiet', '--quiet': '--quiet', '--debug': '--debug'}

SETTLED = ('--no-color', '--utc')
"""Flags that are heeded before anything else, wherever they stand (`screen.settle`)."""

SELDOM = (20_000, 20, 20)
"""How often garbage is looked for: importing makes many objects and none, and is most of what a short command does."""

WITHOUT_OPTIONS = {
    ('ricordi.cli.profile.profile:list_profiles', 0): 'ricordi.cli.profile.list:without_options',
    ('ricordi.cli.config:get', 1): 'ricordi.cli.option_value:without_options',
}
"""Verbs that people have run at every prompt, with how many arguments: where no option is to be parsed, click (half of
the time) is not loaded."""

_ENDED_BY_SIGNAL = 128
"""Exit codes above it say by which."""

NAMES = '_names'
"""The hidden word by which completion scripts ask for names."""


def main() -> None:
    """Run the command line of this process and exit with its code."""
    gc.set_threshold(*SELDOM)
    watch_streams()
    try:
        code = _run_hidden() if any(map(_may_hold_a_password, sys.argv)) else run(sys.argv[1:])
    except KeyboardInterrupt:  # another Ctrl-C, while the first is told
        from ricordi.cli.terminal.signals import INTERRUPTED

        code = INTERRUPTED
    if code > _ENDED_BY_SIGNAL:
        from ricordi.cli.terminal.signals import end_at_once

        end_at_once()
    gc.freeze()  # the end of the process is no time to look for garbage
    sys.exit(code)


def _may_hold_a_password(word: str) -> bool:
    return word.startswith(('--database-password', '--secret-access-key')) or ('://' in word and '@' in word)


def _run_hidden() -> int:
    """Run the command line of this process; the words that the system shows of it hold no password."""
    from ricordi.cli.terminal.hidden_words import hide_words

    try:
        hide_words()
    except UsageError as error:
        from ricordi.cli.terminal.prose import complain

        complain(f'ricordi: error: {error}')
        return error.exit_code
    return run(sys.argv[1:])


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; errors are told on stderr."""
    try:
        settle(arguments)
        code = dispatch(arguments)
        sys.stdout.flush()
    except BaseException as error:
        from ricordi.cli.failures import report_failure

        return report_failure(error, debug='--debug' in arguments)
    return code


def dispatch(arguments: list[str]) -> int:
    """Walk down the tree to the verb and run it with what is left of the arguments."""
    path: list[str] = []
    leading: list[str] = []
    place = find(path)
    position = 0
    while not isinstance(place, str):
        if position == len(arguments):
            print(overview(path), file=sys.stderr)
            return UsageError.exit_code
        word = arguments[position]
        if word in ('-h', '--help'):
            print(overview(path))
            return 0
        if word == '--version':
            from ricordi.version import __version__

            print(f'ricordi {__version__}')
            return 0
        silent = SILENT.get(tuple(path))
        if silent is not None and word not in place and not is_global_option(word):
            place = place[silent][1]
            continue
        if word.startswith('-'):
            used, options = global_option(arguments, position)
            leading += options
            position += used
            continue
        if not word:
            raise UsageError(f'an empty word is no noun or verb; see `{" ".join(["ricordi", *path])} --help`')
        if word == NAMES and not path:
            from ricordi.cli.names import print_names

            return print_names(arguments[position + 1 :])
        word = FORMER.get((*path, word), word)
        if word not in place:
            raise unknown_word(word, path)
        path.append(word)
        place = place[word][1]
        position += 1
    return run_verb(place, path, leading + arguments[position:])


def global_option(arguments: list[str], position: int) -> tuple[int, list[str]]:
    """Read the option at `position`: how many arguments it takes, and its long form.

    The long form is what a verb is handed, since some verbs use the letter `-p` for something else.
    """
    word = arguments[position]
    if word in ('-v', '--verbose', '--verbosity') or word.startswith('--verbosity='):
        return _verbosity(arguments, position)
    if word in FLAGS:
        return 1, [FLAGS[word]]
    if word in SETTLED:
        return 1, []
    if word == '--color' or word.startswith('--color='):
        return _color_option(arguments, position)
    if word in ('-p', '--profile'):
        if position + 1 == len(arguments):
            raise UsageError(f'the option {word} needs the name of a profile')
        return 2, ['--profile', arguments[position + 1]]
    if word.startswith('--profile='):
        return 1, ['--profile', word.removeprefix('--profile=')]
    if word.startswith('-p'):
        return 1, ['--profile', word.removeprefix('-p')]
    if word == '--archive':
        if position + 1 == len(arguments):
            raise UsageError('the option --archive needs the path of an archive')
        return 2, ['--archive', arguments[position + 1]]
    if word.startswith('--archive='):
        return 1, ['--archive', word.removeprefix('--archive=')]
    raise UsageError(f'there is no option {word} before the verb; see `ricordi --help`')


def _color_option(arguments: list[str], position: int) -> tuple[int, list[str]]:
    """How many arguments `--color` takes before the verb, which has no need of it: it is heeded already."""
    word, following = arguments[position], arguments[position + 1 : position + 2]
    when = word.removeprefix('--color=') if '=' in word else ''.join(following)
    if when not in WHEN:
        raise UsageError(f'the option --color takes one of {", ".join(WHEN)}')
    return (1 if '=' in word else 2), []


def _verbosity(arguments: list[str], position: int) -> tuple[int, list[str]]:
    """`-v`, with or without a level after it, or `--verbosity LEVEL`; whether there is such a level, the verb says."""
    from ricordi.services.nodes.log_levels import LEVELS

    word, following = arguments[position], arguments[position + 1 : position + 2]
    if word.startswith('--verbosity='):
        return 1, ['--verbosity', word.removeprefix('--verbosity=')]
    if word == '--verbosity' and not following:
        raise UsageError('the option --verbosity needs the name of a level, such as INFO')
    if word == '--verbosity' or (following and following[0].upper() in LEVELS):
        return 2, ['--verbosity', following[0]]
    return 1, ['--verbose']


def is_global_option(word: str) -> bool:
    """Whether a word is an option that may stand before the verb."""
    return word in (*FLAGS, *SETTLED, '--profile', '--archive', '--color', '--verbosity') or word.startswith(
        ('-p', '--profile=', '--archive=', '--color=', '--verbosity=')
    )


def unknown_word(word: str, path: list[str]) -> UsageError:
    """The error for a noun or verb that is not in the tree, with what may have been meant."""
    from ricordi.services.suggestion import did_you_mean

    above = ' '.join(['ricordi', *path])
    words = ' '.join([*path, word])
    if words in ELSEWHERE:
        return UsageError(f'`{words}` is not part of ricordi: use `{ELSEWHERE[words]}`')
    kind = f'verb `{word}` under `{above}`' if path else f'noun or verb `{word}`'
    return UsageError(f'there is no {kind}{did_you_mean(word, find(path))} See `{above} --help`.')


def run_verb(place: str, path: list[str], arguments: list[str]) -> int:
    """Import the module of a verb and run its click command, or what stands for it; returns the exit code."""
    from ricordi.cli.terminal.signals import end_tidily

    without_click = None if any(map(is_no_argument, arguments)) else WITHOUT_OPTIONS.get((place, len(arguments)))
    command = load_command(without_click or place)
    end_tidily()
    if without_click:
        return int(command(*arguments))
    # Imported by now; and not `command.main`, which has its own way with a broken pipe.
    import click

    try:
        with command.make_context(' '.join(['ricordi', *path]), arguments) as context:
            code = command.invoke(context)
    except click.exceptions.Exit as done:  # how click ends --help
        return done.exit_code
    return code if isinstance(code, int) else 0


def is_no_argument(word: str) -> bool:
    """Whether a word is an option, or one that click has to look at: it holds what the locale cannot say."""
    return word.startswith('-') or not word.isascii()


def load_command(place: str):  # type: ignore[no-untyped-def]  # a click.Command: naming the type would import click
    """The click command, or the function, at `module:attribute`."""
    from importlib import import_module

    module, _, attribute = place.partition(':')
    return getattr(import_module(module), attribute)
