"""The note of when a profile was last maintained."""

from __future__ import annotations

from pathlib import Path

from ricordi.backend.maintenance import ContainerState, MaintenanceOptions, MaintenanceReport
from ricordi.config import load_config
from ricordi.services.history import last_maintained, note_maintenance


def test_a_note_takes_the_drafts_of_killed_processes_away_and_those_of_other_profiles_not(reference_home: Path) -> None:
    profile, log = load_config().get_profile('mixed'), reference_home / 'log'
    for name in ('.ricordi-maintenance-mixed.json.abc', '.ricordi-maintenance-mixed2.json.abc'):
        (log / name).touch()
    note_maintenance(profile, MaintenanceReport(MaintenanceOptions(full=True), ContainerState()))
    assert last_maintained(profile)['full']
    names = {path.name for path in log.iterdir()}
    assert names == {'ricordi-maintenance-mixed.json', '.ricordi-maintenance-mixed2.json.abc'}


def test_a_run_that_found_problems_or_ended_early_is_no_maintenance(reference_home: Path) -> None:
    profile = load_config().get_profile('mixed')
    report = MaintenanceReport(MaintenanceOptions(full=True), ContainerState())
    for unwell in (report._replace(problem_count=1), report._replace(interrupted='SIGTERM')):
        note_maintenance(profile, unwell)
        assert last_maintained(profile) == {'live': None, 'full': None}
    note_maintenance(profile, report)
    noted = last_maintained(profile)
    note_maintenance(profile, report._replace(problem_count=1))
    assert last_maintained(profile) == noted
    assert all(noted.values())
