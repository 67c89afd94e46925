"""Standard streams that tell when they fail: a result that is lost is an error, a message that is lost is none.

And the one door to a terminal: whatever is printed, what a terminal would take for a command is escaped in it, since
labels, names of files, messages of servers and lines of records come from anybody. What is written to a file or a pipe
is a result, and stays as it is; bytes that were asked for raw go by `sys.stdout.buffer`.
"""

from __future__ import annotations

import errno
import io
import os
import sys

from ricordi.errors import OutputError

TYPE_CHECKING = False  # so that `typing` need not be imported, which costs as much as the help itself
if TYPE_CHECKING:
    from typing import TextIO

    from _typeshed import ReadableBuffer

_LAST_STANDARD = 2
_COMMANDS = (
    *range(32),
    *range(127, 160),
    0x061C,
    0x200E,
    0x200F,
    *range(0x2028, 0x202F),
    *range(0x2066, 0x206A),
    0xFEFF,
)
_TAGS = range(0xE0000, 0xE0080)
_ESCAPES = {code: ascii(chr(code))[1:-1] for code in (*_COMMANDS, *_TAGS) if chr(code) not in '\n\t'}
"""Control characters, C1 among them, and marks that turn the direction of text or hide some; lines and tabs stay."""

_ASCII = ('ascii', 'us-ascii', 'ansi_x3.4-1968', '646')


class _Result(io.FileIO):
    """Standard output: what cannot be written to it is an error of its own, not one of the storage."""

    def write(self, data: ReadableBuffer, /) -> int:
        """Write what fits.

        :raises BrokenPipeError: the reader has gone away.
        :raises ricordi.errors.OutputError: nothing can be written.
        """
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            reason = 'it is closed' if error.errno == errno.EBADF else os.strerror(error.errno or errno.EIO)
            raise OutputError(f'the result cannot be written to standard output: {reason}') from error


class _Messages(io.FileIO):
    """Standard error: where nothing can be told, the work goes on all the same."""

    def write(self, data: ReadableBuffer, /) -> int:
        """Write what fits; all of it counts as written where nothing can be."""
        try:
            return super().write(data)
        except OSError:
            return len(memoryview(data))


def harmless(text: str) -> str:
    """A text as a terminal may have it: what it would take for a command is escaped."""
    if text.replace('\n', '').replace('\t', '').isprintable():
        return text
    return text.translate(_ESCAPES)


class TerminalStream(io.TextIOWrapper):
    """Text for a terminal, or for who reads messages."""

    mark = f'<{os.urandom(12).hex()}>'
    """What stands for the beginning of a command of this program's own; nobody else can know it."""

    has_drawing = False
    """Whether a bar is drawn, again and again, on the line of the cursor of the terminal; set on the class."""

    _begun = ''
    """Of a line of text that the bar gives way to once the line is whole."""

    def write(self, text: str, /) -> int:
        """Write a text, made harmless but for the commands behind our mark; returns its length."""
        shown = self._begun + '\033'.join(map(harmless, text.split(self.mark)))
        whole = shown.rfind('\n') + 1 if TerminalStream.has_drawing else len(shown)
        self._begun = shown[whole:]
        self._write_over_drawing(shown[:whole])
        return len(text)

    def flush(self) -> None:
        """Write what was begun, also if it is no whole line."""
        begun, self._begun = self._begun, ''
        self._write_over_drawing(begun)
        super().flush()

    def _write_over_drawing(self, text: str) -> None:
        if text:
            super().write(f'\r\033[2K{text}' if TerminalStream.has_drawing else text)

    def write_commands(self, text: str) -> None:
        """Write a text of this program's own that holds commands for the terminal."""
        super().write(text)
        super().flush()


def write_commands(text: str, stream: TextIO) -> None:
    """Write, at once, what holds commands of this program; what others gave for it was made harmless before."""
    if isinstance(stream, TerminalStream):
        stream.write_commands(text)
    else:
        stream.write(text)
        stream.flush()


def colored(text: str, code: str, stream: TextIO) -> str:
    """A text in a colour, as it is to be written to a stream.

    :param text: whatever it holds, the colour is the only command in it.
    :param code: of the colour, as `34;1`.
    """
    mark = stream.mark if isinstance(stream, TerminalStream) else '\033'
    return f'{mark}[{code}m{harmless(text)}{mark}[0m'


def uncolored(text: str, stream: TextIO) -> str:
    """A text without the colours that `colored` has put into it."""
    mark = stream.mark if isinstance(stream, TerminalStream) else '\033'
    first, *others = text.split(f'{mark}[')
    return first + ''.join(part.partition('m')[2] for part in others)


def write_colored(text: str, code: str) -> None:
    """Write a line to standard output in a colour."""
    sys.stdout.write(f'{colored(text, code, sys.stdout)}\n')


def watch_streams() -> None:
    """Put streams in place of `sys.stdout` and `sys.stderr` that deal with failure; also where the caller closed them.

    The numbers of closed streams are taken first, so that no file of the storage gets one and is written into by
    somebody who takes it for standard error.
    """
    if sys.stdin is None or sys.stdout is None or sys.stderr is None:
        _take_closed_numbers()
    if isinstance(sys.stdin, io.TextIOWrapper) and sys.stdin.encoding.lower() in _ASCII:
        sys.stdin.reconfigure(encoding='utf-8', errors=sys.stdin.errors)
    sys.stdout = _stream(_Result, 1, sys.stdout)
    sys.stderr = _stream(_Messages, 2, sys.stderr)


def carries_all_characters() -> bool:
    """Whether standard output takes any character; else what it cannot carry is escaped."""
    encoding = getattr(sys.stdout, 'encoding', None)
    return encoding is None or encoding.lower().startswith('utf')


def as_unicode(word: str) -> str:
    """A word of the command line as it was meant: in a locale that has ASCII only, UTF-8 comes as escaped bytes."""
    try:
        word.encode()
        return word
    except UnicodeEncodeError:
        pass
    try:
        return os.fsencode(word).decode()
    except UnicodeError:
        return word


def _take_closed_numbers() -> None:
    """Open the null device for reading under each free number up to 2: who writes there is told that he cannot."""
    while (descriptor := os.open(os.devnull, os.O_RDONLY)) <= _LAST_STANDARD:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


def _stream(kind: type[io.FileIO], number: int, before: object) -> io.TextIOWrapper:
    """A text stream like the one before: its encoding, its buffering; what cannot be encoded is escaped.

    That is so unless PYTHONIOENCODING says what to do: the other two ways are those that Python takes by itself.
    """
    encoding, write_through, errors = None, False, 'backslashreplace'
    if isinstance(before, io.TextIOWrapper):
        encoding, write_through = before.encoding, before.write_through
        errors = errors if before.errors in ('strict', 'surrogateescape') else str(before.errors)
    raw = kind(number, 'w', closefd=False)
    shown = number == _LAST_STANDARD or raw.isatty()
    return (TerminalStream if shown else io.TextIOWrapper)(
        io.BufferedWriter(raw),
        encoding=encoding,
        errors=errors,
        line_buffering=shown,
        write_through=write_through,
    )
