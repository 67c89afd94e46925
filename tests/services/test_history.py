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
