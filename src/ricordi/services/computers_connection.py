"""Running commands on a computer: here, or there through the OpenSSH client. One connection for many commands."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple, Protocol, Self

from ricordi.errors import UnreachableComputer
from ricordi.services.computers_access import Access
from ricordi.services.computers_ssh import bash_words, ssh_host, ssh_options

SSH_FAILED = 255
"""The exit code by which `ssh` says that it is its own failure, and not the command's."""

_SILENT_PROXY = 'UNKNOWN port 65535'
"""What `ssh` says if a proxy fails. Where connections are shared it throws away what the proxy says itself."""

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
        self._host = ssh_host(access, files)
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
            reason = ' '.join(done.err.split()) or f'ssh ended with {SSH_FAILED}'
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
                    f'{" ".join(done.err.split())}'
                )


def _run(words: list[str], stdin: str, timeout: float | None) -> Completed:
    # Not a pipe for stderr: the process that keeps a shared connection may hold it open for as long as it lives.
    with tempfile.TemporaryFile() as errors:
        try:
            done = subprocess.run(
                words, input=stdin.encode(), stdout=subprocess.PIPE, stderr=errors, timeout=timeout, check=False
            )
        except FileNotFoundError:
            raise UnreachableComputer(f'there is no program `{words[0]}` here: install it') from None
        except PermissionError:
            raise UnreachableComputer(f'{words[0]} may not be run') from None
        except subprocess.TimeoutExpired:
            raise UnreachableComputer(f'no answer within {timeout:.0f} s') from None
        errors.seek(0)
        err = errors.read().decode(errors='replace')
    return Completed(done.returncode, done.stdout.decode(errors='replace'), err)


def _socket_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix='ricordi-'))
    if len(str(folder)) <= _LONGEST_SOCKET:
        return folder
    folder.rmdir()
    return Path(tempfile.mkdtemp(prefix='ricordi-', dir='/tmp'))
