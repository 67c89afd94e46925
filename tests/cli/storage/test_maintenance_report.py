"""How a maintenance report is told to people and to programs."""

import json

import pytest

from ricordi.backend.maintenance import (
    Amount,
    ContainerState,
    MaintenanceOptions,
    MaintenanceReport,
    MaintenanceStep,
    Problem,
)
from ricordi.cli.storage.maintenance_report import exit_code_of, report_as_data, report_as_text
from ricordi.cli.terminal.output import to_json

BEFORE = ContainerState(Amount(23, 1_200_000), Amount(2, 500), 600, Amount(1, 40), 80, 0, 1, 27, 4096)
AFTER = ContainerState(Amount(), Amount(24, 900_000), 1_200_560, Amount(), 0, 0, 1, 3, 8192)
STEPS = (
    MaintenanceStep('pack', '23 loose objects into packs', 23, 1_200_000, 899_500, 300_500, 0.5),
    MaintenanceStep('repack', '1 pack rewritten', 24, 900_080, 900_000, 80, 65.0),
)
PROBLEM = Problem('damaged', 'ab' * 32, 'its bytes give another SHA-256', ((12, 'c0ffee', 'out/file.txt'),))


def report(**changes: object) -> MaintenanceReport:
    values = {'options': MaintenanceOptions(full=True), 'before': BEFORE, 'after': AFTER, 'steps': STEPS}
    return MaintenanceReport(**{**values, **changes})


def test_the_text_shows_before_and_after_side_by_side_the_steps_with_their_time_and_what_was_freed() -> None:
    text = report_as_text('main', report())
    assert text.splitlines()[0] == 'Full maintenance of profile `main`.'
    lines = [line.split() for line in text.splitlines()]
    assert ['loose', 'objects', '23', '1.20', 'MB', '0', '0', 'B'] in lines
    assert ['files', '27', '3'] in lines
    assert any(line[:2] == ['pack', '23'] and '0.500' in line for line in lines)
    assert any(line[:1] == ['repack'] and ' '.join(line).find('1 min 05 s') > 0 for line in lines)
    assert 'Gave back 296 kB of disk, 24 files fewer, in 1 min 06 s.' in text


def test_a_plan_says_that_nothing_was_changed_and_what_it_needs() -> None:
    plan = report(options=MaintenanceOptions(dry_run=True), after=None, space_needed=5_000_000)
    text = report_as_text('main', plan)
    assert text.splitlines()[0] == 'Plan of a live maintenance of profile `main`; nothing was changed.'
    assert 'Would give back 301 kB of disk and put 23 files into packs; needs 5.00 MB of free disk meanwhile.' in text


def test_nothing_to_do_is_one_line() -> None:
    text = report_as_text('main', report(steps=(), before=AFTER))
    assert text == 'Nothing to do for profile `main`: 24 packed objects in 1 pack, 900 kB.'


def test_stopped_before_the_first_step_is_not_nothing_to_do() -> None:
    stopped = report(steps=(), interrupted='SIGTERM')
    assert 'Nothing to do' not in report_as_text('main', stopped)
    assert report_as_data('main', stopped)['nothing_to_do'] is False
    assert exit_code_of(stopped) == 7


def test_problems_are_told_with_key_node_and_path_and_how_many_are_not_shown() -> None:
    text = report_as_text('main', report(problems=(PROBLEM,), problem_count=3))
    assert '3 objects missing or damaged' in text
    assert f'  damaged {"ab" * 32} (its bytes give another SHA-256)' in text
    assert '    node 12 (c0ffee): out/file.txt' in text
    assert '  and 2 more objects' in text


@pytest.mark.parametrize(
    ('changes', 'code'),
    [
        ({}, 0),
        ({'problem_count': 1}, 6),
        ({'interrupted': 'SIGTERM'}, 7),
        ({'problem_count': 1, 'interrupted': 'SIGTERM'}, 6),
    ],
)
def test_a_maintenance_that_did_less_than_asked_never_ends_with_0(changes: dict[str, object], code: int) -> None:
    assert exit_code_of(report(**changes)) == code


def test_the_data_holds_every_number_and_is_json() -> None:
    data = json.loads(to_json(report_as_data('main', report(problems=(PROBLEM,), problem_count=1))))
    assert data['before']['loose'] == {'objects': 23, 'bytes': 1_200_000}
    assert data['after']['files'] == 3
    assert data['steps'][0] == {
        'name': 'pack',
        'detail': '23 loose objects into packs',
        'objects': 23,
        'read_bytes': 1_200_000,
        'write_bytes': 899_500,
        'freed_bytes': 300_500,
        'seconds': 0.5,
    }
    assert data['problems'][0]['nodes'] == [{'pk': 12, 'uuid': 'c0ffee', 'path': 'out/file.txt'}]
    assert (data['freed_bytes'], data['seconds'], data['exit_code']) == (296_484, 65.5, 6)
