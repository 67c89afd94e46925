"""From an exception to one message on stderr and an exit code: `explain`, which `cli/main.py` asks for all verbs."""

from __future__ import annotations

import errno
import os
import re
import sys
import traceback

from ricordi.cli.remedies import message_of
from ricordi.cli.terminal.prose import complain
from ricordi.cli.terminal.signals import INTERRUPTED
from ricordi.config.secrets import hide_in_text
from ricordi.errors import ConfigurationError, OutputError, RicordiError, StorageError, UsageError, ended_by

BROKEN_PIPE = 141

LONGEST_VALUE = 200
"""So many characters of a value are told; and so many at each end of a longer word without quotes, such as a path."""

_QUOTED = re.compile(r'(?<!\w)([\'"`])(.*?)\1(?!\w)', re.DOTALL)
_WORD = re.compile(rf'\S{{{3 * LONGEST_VALUE},}}')

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_OF_THE_STORAGE = {*_NO_ROOM, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.ENOLCK}
_WAY_OUT = {
    errno.ENOSPC: 'free some space and run the command again; nothing that a node names was lost',
    errno.EDQUOT: 'your quota is used up: free some space and run it again; nothing that a node names was lost',
    errno.EACCES: 'run as the owner of the files, or have the permissions changed',
    errno.EPERM: 'run as the owner of the files, or have the permissions changed',
    errno.EROFS: 'the disk is mounted read-only: mount it for writing',
    errno.EIO: 'the disk reports damage: look at the system log and save what is on it',
    errno.ENOLCK: 'this file system gives no locks: have it mounted with them (NFS needs its lock service)',
    errno.EMFILE: 'raise the limit of open files (`ulimit -n`)',
}


def report_failure(error: BaseException, debug: bool) -> int:
    """Tell on stderr why the command ended, and return the exit code.

    :param debug: also show the traceback.
    """
    if isinstance(error, SystemExit):
        _flush_stdout()
        return error.code if isinstance(error.code, int) else 1
    if isinstance(error, BrokenPipeError):
        _silence_stdout()
        return BROKEN_PIPE
    message, code = explain(error)
    message = shortened(hide_in_text(message))
    if debug:
        print(hide_in_text(''.join(traceback.format_exception(error))), end='', file=sys.stderr)
    _flush_stdout()  # what was printed before comes first, where both go to one place
    complain(message)
    for note in getattr(error, '__notes__', ()):
        complain(hide_in_text(note))
    return code


def shortened(message: str) -> str:
    """A message in which the values that it quotes, and single words, have a length that can be read."""
    message = _QUOTED.sub(_shortened_value, message)
    return _WORD.sub(lambda found: f'{found[0][:LONGEST_VALUE]}…{found[0][-LONGEST_VALUE:]}', message)


def _shortened_value(quoted: re.Match[str]) -> str:
    """A value that is quoted; short ones are met too, or the end of one would be taken for the beginning of another."""
    mark, value = quoted[1], quoted[2]
    return quoted[0] if len(value) <= LONGEST_VALUE else f'{mark}{value[:LONGEST_VALUE]}…{mark}'


def explain(error: BaseException) -> tuple[str, int]:
    """The message for a person and the exit code of an error."""
    if isinstance(error, RicordiError):
        return f'ricordi: error: {message_of(error)}', _code_of(error)
    if isinstance(error, KeyboardInterrupt):
        return 'ricordi: interrupted', 128 + ended_by[-1] if ended_by else INTERRUPTED
    if type(error).__module__.startswith('click.'):
        return _explain_click(error)
    if isinstance(error, OSError):
        return _explain_os_error(error)
    if isinstance(error, OverflowError):
        return f'ricordi: error: a number or a time is too large: {error}', UsageError.exit_code
    if isinstance(error, UnicodeEncodeError) and error.encoding in ('utf-8', 'utf_8'):
        return (
            'ricordi: error: a value that was given is no text: it has bytes that are not UTF-8',
            UsageError.exit_code,
        )
    if isinstance(error, UnicodeEncodeError) and error.encoding not in ('utf-8', 'utf_8'):
        letter = error.object[error.start]
        return f'ricordi: error: the locale has no {letter!r} for the name of a file; set LC_ALL=C.UTF-8', 1
    if isinstance(error, RecursionError):
        return 'ricordi: error: a value is nested too deeply to be worked on', 1
    if isinstance(error, MemoryError):
        return 'ricordi: error: out of memory', 1
    return _explain_bug(error), 1


def _code_of(error: RicordiError) -> int:
    """The exit code of an error; a full disk counts as one, whatever could not be done because of it.

    So does whatever else keeps the configuration from being read or written: missing permission, a disk mounted
    read-only. Where results are printed to is not of the storage.
    """
    if isinstance(error, OutputError):
        return error.exit_code
    refusals = _OF_THE_STORAGE if isinstance(error, ConfigurationError) else _NO_ROOM
    cause: BaseException | None = error
    while cause is not None and error.exit_code == RicordiError.exit_code:
        if isinstance(cause, OSError) and cause.errno in refusals:
            return StorageError.exit_code
        cause = cause.__cause__
    return error.exit_code


def _explain_click(error: BaseException) -> tuple[str, int]:
    import click

    if isinstance(error, click.Abort):
        return 'ricordi: interrupted', INTERRUPTED
    if isinstance(error, click.ClickException):
        if isinstance(error, click.BadParameter) and isinstance(error.param, click.Argument):
            # Where the usage line shows the words to choose from, a message names the argument all the same.
            error.param_hint = error.param_hint or repr(error.param.human_readable_name)
        text = ' '.join(error.format_message().split())
        text = text[:1].lower() + text[1:].rstrip('.')
        if isinstance(error, click.MissingParameter) and isinstance(error.param, click.Argument):
            text += _taken_for_options()
        context = getattr(error, 'ctx', None)
        hint = f'; see `{context.command_path} --help`' if context is not None else ''
        code = error.exit_code if not isinstance(error, click.UsageError) else UsageError.exit_code
        return f'ricordi: error: {text}{hint}', code
    return _explain_bug(error), 1


def _taken_for_options() -> str:
    """A hint where a word may have been meant as the argument that is missing: `-dash` is taken for `-d ash`."""
    words = [word for word in sys.argv[1:] if len(word) > 2 and word[0] == '-' != word[1]]
    return f'; what begins with a dash comes after `--`: `-- {words[-1]}`' if words and '--' not in sys.argv else ''


def _explain_os_error(error: OSError) -> tuple[str, int]:
    reason = error.strerror or (os.strerror(error.errno) if error.errno else str(error))
    names = [str(name) for name in (error.filename, error.filename2) if name is not None]
    parts = [f'{" → ".join(names)}: {reason}' if names else reason]
    if error.errno in _WAY_OUT:
        parts.append(_WAY_OUT[error.errno])
    code = StorageError.exit_code if error.errno in _OF_THE_STORAGE else 1
    return f'ricordi: error: {"; ".join(parts)}', code


def _explain_bug(error: BaseException) -> str:
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if f'{os.sep}ricordi{os.sep}' in frame.filename
    ]
    place = f' at {os.path.basename(frames[-1].filename)}:{frames[-1].lineno}' if frames else ''  # noqa: PTH119
    words = str(error).strip().splitlines()
    reason = f': {words[0]}' if words else ''
    return (
        f'ricordi: error: unexpected {type(error).__name__}{place}{reason}\n'
        'This is a bug. Please report it, with the output of the same command with --debug added.'
    )


def _flush_stdout() -> None:
    """Write what is pending; what cannot be written is dropped, lest the interpreter end with its own code, 120."""
    try:
        sys.stdout.flush()
    except (OSError, OutputError):
        _silence_stdout()


def _silence_stdout() -> None:
    """Point stdout at nothing, so that the interpreter does not complain once more when it flushes at exit."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError, AttributeError):
        pass
