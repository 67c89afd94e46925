"""When a profile was last maintained, noted in a file of the `log` folder of the configuration folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ricordi.config import Profile, get_config_folder
from ricordi.errors import RicordiError
from ricordi.files import read_regular, write_atomic
from ricordi.folders import make_folder, remove_file
from ricordi.model.file_trees import is_key

if TYPE_CHECKING:
    from ricordi.backend.maintenance import MaintenanceOptions, MaintenanceReport

LARGEST_NOTE = 64 << 20
"""Bytes: it names each damaged object."""
KINDS = ('live', 'full')


def note_maintenance(profile: Profile, report: MaintenanceReport) -> None:
    """Note that a maintenance has done all that it should. That it cannot be noted is no reason to fail.

    One that has found objects missing or damaged has not: whoever looks at the note would take all for well.
    """
    if report.options.dry_run or report.interrupted or report.doubt:
        return
    now = datetime.now(UTC).isoformat(timespec='seconds')
    kinds = () if report.problem_count or report.distrust else KINDS if report.options.full else ('live',)
    noted = _note(profile).read() | dict.fromkeys(kinds, now)
    noted['clean'] = report.clean and report.clean._asdict()
    noted['damaged'] = [problem.key for problem in report.problems if problem.kind == 'damaged']
    _note(profile).write(noted)


def last_maintained(profile: Profile) -> dict[str, str | None]:
    """When live and full maintenance last did all they should, in ISO 8601; None: not known. A full one is both."""
    noted = _note(profile).read()
    return {kind: noted.get(kind) for kind in KINDS}


def maintained_at(profile: Profile) -> dict[str, datetime | None]:
    """The same as times, aware; None also for what is no time."""
    return {kind: _moment(text) for kind, text in last_maintained(profile).items()}


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)  # type: ignore[arg-type]  # what stands in the note may be anything
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        return None


def with_what_was_seen(profile: Profile, options: MaintenanceOptions) -> MaintenanceOptions:
    """The options with what the last maintenance knew: how it left the storage clean, what it found damaged."""
    from ricordi.backend.maintenance import CleanMark

    noted = _note(profile).read()
    try:
        clean = CleanMark(**noted['clean'])
    except (KeyError, TypeError):
        clean = None
    damaged = noted.get('damaged')
    keys = [key for key in damaged if isinstance(key, str) and is_key(key)] if isinstance(damaged, list) else []
    return options._replace(clean=clean, suspects=tuple(keys))


def forget_maintenance(profile: Profile) -> None:
    """Remove the note, for a profile that is no more."""
    _note(profile).remove()


def _note(profile: Profile) -> ProfileNote:
    return ProfileNote(get_config_folder() / 'log' / f'ricordi-maintenance-{profile.name}.json')


class ProfileNote:
    """A JSON file in which something about a profile is noted; to lose it costs work, and nothing else."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, Any]:
        """What is noted; nothing where that cannot be read."""
        try:
            noted = json.loads(read_regular(self._path, LARGEST_NOTE, follow=False))
        except (OSError, ValueError, RecursionError):
            return {}
        return noted if isinstance(noted, dict) else {}

    def write(self, noted: Mapping[str, Any]) -> None:
        """Replace what is noted. That it cannot be written is no reason to fail."""
        path = self._path
        with suppress(OSError, RicordiError):
            make_folder(path.parent)
            for entry in path.parent.iterdir():
                if entry.name.startswith(f'.{path.name}.'):  # the draft of a process that was killed
                    remove_file(entry)
            write_atomic(path, json.dumps(noted).encode())

    def remove(self) -> None:
        """Remove the note."""
        with suppress(OSError):
            remove_file(self._path)
