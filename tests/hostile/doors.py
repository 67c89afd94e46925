"""All doors by name: what `run.py` tries for long, and the tests for short."""

from __future__ import annotations

from hostile.answer_files import AnswerFiles
from hostile.archives import Archives
from hostile.arguments import Arguments
from hostile.configurations import AccessRecords, Configurations
from hostile.containers import Containers, Index
from hostile.damaged_rows import DamagedRows
from hostile.dump_logs import DumpLogs
from hostile.pages import Pages
from hostile.queries import Queries
from hostile.remote_answers import RemoteAnswers
from hostile.runner import Door
from hostile.where import Where

DOORS: dict[str, type[Door]] = {
    door.name: door
    for door in (
        *(AccessRecords, AnswerFiles, Archives, Arguments, Configurations, Containers, DamagedRows, DumpLogs),
        *(Index, Pages, Queries, RemoteAnswers, Where),
    )
}
"""Each module of this folder that makes cases adds its own."""

ON_POSTGRES = sorted(name for name, door in DOORS.items() if door.on_postgres)
"""Those that are tried on PostgreSQL, too."""
