"""What the shell of a computer answers, forged: an answer that lacks a part, has no end, or does not come."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from deadlines import DEADLINE, wait_until
from ricordi.errors import UnreachableComputer
from ricordi.services.computers import cleaning as cleaning
from ricordi.services.computers import connection as connection
from ricordi.services.computers.access import Access
from ricordi.services.computers.connection import Completed

ACCESS = Access('c', 'h', 'core.local', 'core.direct', 'a@b.c', True, {}, '/work')
PATHS = ['/scratch/a', '/scratch/b']


def writers_to_deleted_files() -> list[str]:
    """The programs named `yes` whose standard error goes to a file that has no name any more."""
    found = []
    for process in psutil.process_iter():
        with suppress(OSError, psutil.Error):
            if process.name() == 'yes' and 'deleted' in str(Path(f'/proc/{process.pid}/fd/2').readlink()):
                found.append(f'{process.pid}')
    return found


class Forged:
    """A connection that answers as it is told."""

    def __init__(self, out: str) -> None:
        self.out = out

    def run(self, command: str, stdin: str = '', login_shell: bool | None = None) -> Completed:
        return Completed(0, self.out, '')


def test_a_path_of_which_nothing_is_told_is_not_removed() -> None:
    assert cleaning._remove(Forged('ricordi-work-directory 1 removed x'), ACCESS, PATHS) == {  # type: ignore[arg-type]
        '/scratch/a': 'there was no answer',
        '/scratch/b': 'removed',
    }


def test_an_answer_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, 'LONGEST_ANSWER', 100_000)
    with pytest.raises(UnreachableComputer, match='longer than'):
        connection.LocalConnection(ACCESS, DEADLINE).run('yes', login_shell=False)
    assert (
        connection.LocalConnection(ACCESS, DEADLINE).run(r"printf '\xff\xfe'", login_shell=False).out == '\ufffd\ufffd'
    )


def test_an_answer_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnreachableComputer, match='no answer'):
        connection.LocalConnection(ACCESS, 0.2).run('exec sleep 60', login_shell=False)


@pytest.mark.parametrize('command', ['yes >&2', 'exec >&-; yes >&2', 'head -c 300000 /dev/zero >&2'])
def test_complaints_without_end_do_not_fill_the_disk(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setattr(connection, 'LONGEST_COMPLAINT', 100_000)
    local = connection.LocalConnection(ACCESS, DEADLINE)
    with pytest.raises(UnreachableComputer, match='standard error are longer than'):
        local.run(command, login_shell=False)
    wait_until(lambda: not writers_to_deleted_files(), 'nothing writes on')


def test_a_long_complaint_is_told_in_short() -> None:
    assert connection.in_short('a  b\n c') == 'a b c'
    assert len(connection.in_short('x y ' * 1_000_000)) < 2100
