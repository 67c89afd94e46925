"""Running commands on a computer: here, or there through the OpenSSH client. One connection for many commands."""

from __future__ import annotations

import os
import selectors
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Protocol, Self

from ricordi.errors import UnreachableComputer
from ricordi.services.computers.access import Access
from ricordi.services.computers.ssh import bash_words, checked_host, ssh_host, ssh_options

SSH_FAILED = 255
"""The exit code by which `ssh` says that it is its own failure, and not the command's."""

_SILENT_PROXY = 'UNKNOWN port 65535'
"""What `ssh` says if a proxy fails. Where connections are shared it throws away what the proxy says itself."""

LONGEST_ANSWER = 16 << 20
"""Bytes that a command may answer."""

LONGEST_COMPLAINT = 1 << 20
"""Bytes that it may write to its standard error, which goes to a file of this machine."""

_TOLD = 2000
"""Characters of a complaint that are told."""

_LOOK_SECONDS = 0.05
"""Between looks at how long that file is."""

_LONGEST_SOCKET = 80
"""Characters of a path that can still be a socket, with what OpenSSH adds while it makes one."""


class Completed(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


class Connection(Protocol):
    """A way to run commands on a computer, open inside a `with` block."""

    def __enter__(self) -> Self:
        """Connect.

        :raises ricordi.errors.UnreachableComputer: it does not answer, or does not let us in.
        """

    def __exit__(self, *exception: object) -> None:
        """Let the connection go."""

    def run(self, command: str, stdin: str = '', login_shell: bool | None = None) -> Completed:
        """Run a command of bash.

        :param login_shell: None: as configured.
        :raises ricordi.errors.UnreachableComputer: the connection is gone, or there was no answer in time.
        """


def connect(access: Access, files: bool = False, timeout: float | None = None) -> Connection:
    """A connection to a computer, to be opened by `with`.

    :param files: to the host that files go through, where that is another one.
    :param timeout: seconds that a command may take; None: any time.
    :raises ricordi.errors.UnreachableComputer: its transport is none that this program knows.
    """
    if access.transport == 'core.local':
        return LocalConnection(access, timeout)
    if access.transport in ('core.ssh', 'core.ssh_async'):
        return SshConnection(access, files, timeout)
    raise UnreachableComputer(
        f'computer {access.label!r} is reached by {access.transport}, which only AiiDA knows: use verdi'
    )


class LocalConnection:
    """Commands run on this machine."""

    def __init__(self, access: Access, timeout: float | None = None) -> None:
        self._access, self._timeout = access, timeout

    def __enter__(self) -> Self:
        """Nothing to open."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Nothing to let go."""

    def run(self, command: str, stdin: str = '', login_shell: bool | None = None) -> Completed:
        """Run a command of bash."""
        return _run(bash_words(self._access, command, login_shell), stdin, self._timeout)


class SshConnection:
    """Commands run through `ssh`, which never asks for anything.

    All go through one connection, unless the person's configuration shares connections in a way of its own: sites count
    how often one logs in.
    """

    def __init__(self, access: Access, files: bool = False, timeout: float | None = None) -> None:
        self._access, self._timeout = access, timeout
        self._host = checked_host(ssh_host(access, files))
        self._words = ['ssh', '-T', *ssh_options(access, batch=True)]
        self._folder: Path | None = None

    def __enter__(self) -> Self:
        """Run the authentication script, if there is one, and connect."""
        self._authenticate()
        alone = list(self._words)
        if not self._shares_already():
            self._folder = _socket_folder()
            socket = self._folder / 's'
            self._words += ['-o', 'ControlMaster=auto', '-o', f'ControlPath={socket}', '-o', 'ControlPersist=60']
        try:
            self.run('true', login_shell=False)
        except UnreachableComputer as error:
            self.__exit__()
            if _SILENT_PROXY not in str(error):
                raise
            self._words = alone
            self.run('true', login_shell=False)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        """End the shared connection."""
        if self._folder is not None:
            if (self._folder / 's').exists():
                words = [*self._words, '-O', 'exit', '--', self._host]
                subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False)
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def run(self, command: str, stdin: str = '', login_shell: bool | None = None) -> Completed:
        """Run a command of bash."""
        import shlex

        words = [*self._words, '--', self._host, shlex.join(bash_words(self._access, command, login_shell))]
        done = _run(words, stdin, self._timeout)
        if done.code == SSH_FAILED:
            reason = in_short(done.err) or f'ssh ended with {SSH_FAILED}'
            raise UnreachableComputer(f'cannot reach computer {self._access.label!r}: {reason}')
        return done

    def _shares_already(self) -> bool:
        asked = _run([*self._words, '-G', '--', self._host], '', self._timeout)
        settings = dict(line.split(' ', 1) for line in asked.out.splitlines() if ' ' in line)
        return settings.get('controlpath', 'none').lower() != 'none'

    def _authenticate(self) -> None:
        script = self._access.parameters.get('authentication_script')
        if self._access.transport == 'core.ssh_async' and script not in (None, '', 'None'):
            done = _run([str(script)], '', self._timeout)
            if done.code:
                raise UnreachableComputer(
                    f'the authentication script {script} of computer {self._access.label!r} ended with {done.code}: '
                    f'{in_short(done.err)}'
                )


def in_short(text: str) -> str:
    """What a computer has written, in one line of a length that can be read."""
    line = ' '.join(text[: 2 * _TOLD].split())
    return line if len(line) <= _TOLD and len(text) <= 2 * _TOLD else f'{line[:_TOLD]}…'


def _run(words: list[str], stdin: str, timeout: float | None) -> Completed:
    """Run a program of this machine.

    :raises ricordi.errors.UnreachableComputer: it is not there, does not end in time, or answers without end.
    """
    # Not a pipe for stderr: the process that keeps a shared connection may hold it open for as long as it lives.
    with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as given:
        given.write(stdin.encode(errors='replace'))
        given.seek(0)
        try:
            process = subprocess.Popen(words, stdin=given, stdout=subprocess.PIPE, stderr=errors)
        except FileNotFoundError:
            raise UnreachableComputer(f'there is no program `{words[0]}` here: install it') from None
        except PermissionError:
            raise UnreachableComputer(f'{words[0]} may not be run') from None
        except (ValueError, OSError) as error:  # a NUL in a word, or too many of them
            raise UnreachableComputer(f'{words[0]} cannot be run: {error}') from None
        with process:
            try:
                out = _answer_of(process, errors.fileno(), timeout)
            except BaseException:
                _kill(process.pid)
                raise
        errors.seek(0)
        err = errors.read(LONGEST_COMPLAINT).decode(errors='replace')
    return Completed(process.returncode, out.decode(errors='replace'), err)


def _kill(pid: int) -> None:
    """Kill a process with all that it has started, which would go on to write. No session of its own: ssh may ask."""
    import psutil

    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        process.suspend()  # nothing more is started
        for one in (*process.children(recursive=True), process):
            with suppress(psutil.NoSuchProcess):
                one.kill()


def _answer_of(process: subprocess.Popen[bytes], errors: int, timeout: float | None) -> bytes:
    """What a process writes until it ends, within a time and a length that a sane answer never has.

    :param errors: the open file that its complaints go to; nobody else keeps it from filling the disk.
    """
    assert process.stdout is not None
    waited = _Waiting(errors, timeout)
    parts, length = [], 0
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(waited.next_look()):
                continue
            part = os.read(process.stdout.fileno(), 1 << 16)
            if not part:
                break
            parts.append(part)
            length += len(part)
            if length > LONGEST_ANSWER:
                raise UnreachableComputer(f'the answer is longer than {LONGEST_ANSWER:,} bytes')
    while process.poll() is None:  # it may have closed its output long before it ends
        with suppress(subprocess.TimeoutExpired):
            process.wait(waited.next_look())
    waited.check_complaints()
    return b''.join(parts)


class _Waiting:
    """How long a process is waited for, which is looked after meanwhile."""

    def __init__(self, errors: int, timeout: float | None) -> None:
        self._errors, self._timeout = errors, timeout
        self._end = None if timeout is None else time.monotonic() + timeout

    def next_look(self) -> float:
        """Seconds to wait now.

        :raises ricordi.errors.UnreachableComputer: it has had its time, or complains without end.
        """
        self.check_complaints()
        if self._end is not None and time.monotonic() > self._end:
            raise UnreachableComputer(f'no answer within {self._timeout:.0f} s')
        return _LOOK_SECONDS

    def check_complaints(self) -> None:
        """See that what it complains of has a length that can be kept.

        :raises ricordi.errors.UnreachableComputer: it has not.
        """
        if os.fstat(self._errors).st_size > LONGEST_COMPLAINT:
            raise UnreachableComputer(f'the messages on its standard error are longer than {LONGEST_COMPLAINT:,} bytes')


def _socket_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix='ricordi-'))
    if len(str(folder)) <= _LONGEST_SOCKET:
        return folder
    folder.rmdir()
    return Path(tempfile.mkdtemp(prefix='ricordi-', dir='/tmp'))
