"""The checks of a SQLite database, done by a process of its own, which imports no more than they need."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from ricordi.answering import answer_parent, questions_of_parent
from ricordi.backend.verification import ChecksApart
from ricordi.storage.sqlite.dialect import SqliteDialect
from ricordi.storage.verification.database import SqlChecks


def apart(path: Path, repository_uuid: str | None, thorough: bool) -> ChecksApart | None:
    """How another process does these checks of a database in a file; None where it would not find one."""
    settings = {'path': str(path), 'repository_uuid': repository_uuid, 'thorough': thorough}
    try:
        return ChecksApart(__name__, settings, path.stat().st_size)
    except OSError:
        return None


def answer_checks(asked: SimpleQueue[Any], answer: Callable[[object], None]) -> None:
    """Do the checks that are asked for by their names, of the database that is told before them."""
    settings = asked.get()
    dialect = SqliteDialect(Path(settings['path']))
    checks = SqlChecks(dialect, settings['repository_uuid'], settings['thorough'], lambda: None)
    with closing(checks):
        listed = {check.name: check for check in checks.listed}
        answer(sorted(listed))
        for name in iter(asked.get, None):
            answer(list(checks.run(listed[name])))


if __name__ == '__main__':
    answer_checks(questions_of_parent(), answer_parent)
