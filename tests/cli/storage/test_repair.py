"""`ricordi storage repair`: the plan, the question, the report, the exit codes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ricordi.backend.repair import Mending
from ricordi.backend.verification import Finding
from ricordi.backend.verification_report import VerificationReport, VerifyOptions
from ricordi.cli.main import run
from ricordi.cli.storage.repair_report import plan_as_text
from ricordi.repository.container.container import Container
from ricordi.services.repair.repair import RepairOptions, RepairReport

Ran = Callable[..., tuple[int, str, str]]
PROFILE = 'loose'


@pytest.fixture
def ran(reference_home: Path, capsys: pytest.CaptureFixture[str]) -> Ran:
    """Runs `storage repair`: exit code, output, errors."""

    def repair(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(['-p', PROFILE, 'storage', 'repair', *words])
        return code, *capsys.readouterr()

    return repair


@pytest.fixture
def lost(reference_home: Path, tmp_path: Path) -> tuple[str, str]:
    """A key of an object that was removed, and a copy of the container that has it."""
    folder = reference_home / 'repository' / PROFILE / 'container'
    shutil.copytree(folder, tmp_path / 'copy')
    with Container(folder) as container:
        key = next(container.layout.loose_keys(2))
        Path(container.loose_path(key)).unlink()
    return key, str(tmp_path / 'copy')


def test_a_healthy_storage_needs_no_repair(ran: Ran) -> None:
    code, out, err = ran()
    assert (code, err) == (0, '')
    assert 'there is nothing that it could mend' in out


def test_off_a_terminal_the_plan_is_shown_and_nothing_is_done_without_yes(ran: Ran, lost: tuple[str, str]) -> None:
    key, copy = lost
    code, _, err = ran('--from', copy)
    assert code == 2
    assert key in err
    assert '--yes' in err
    assert ran('--dry-run')[0] == 6


def test_ctrl_c_at_the_question_ends_it(run_in_terminal: Callable[..., Any], lost: tuple[str, str]) -> None:
    done = run_in_terminal('-p', PROFILE, 'storage', 'repair', '--from', lost[1], answers={'[y/N]': '\x03'})
    assert done.returncode == 130
    assert 'ricordi: interrupted' in done.screen
    assert 'clean point' not in done.screen


def test_what_is_missing_comes_from_a_source(ran: Ran, lost: tuple[str, str]) -> None:
    key, copy = lost
    code, out, _ = ran('--from', copy, '--dry-run')
    assert code == 6
    assert f'Take it from a source ({copy}): 1 missing object' in out
    code, out, err = ran('--from', copy, '--yes')
    assert (code, err) == (0, '')
    assert key in out
    assert 'Left: nothing' in out
    assert ran()[0] == 0


@pytest.mark.parametrize(('deed', 'is_left'), [('take it from a source', False), ('', True)])
def test_a_pack_of_which_all_is_mended_is_not_told_as_left(deed: Any, is_left: bool) -> None:
    finding = Finding('missing pack', 'it is not in the bucket', where='packs/x')
    report = RepairReport(
        RepairOptions(dry_run=True),
        VerificationReport(VerifyOptions(), findings=(finding,), counts={'missing pack': 1}),
        (Mending('damaged object', 'take it from a source', 'a'), Mending('damaged object', deed, 'b')),
    )
    assert ('Found, and not mended by itself' in plan_as_text('profile `group`', report)) == is_left


def test_what_is_in_no_source_is_left_and_told(ran: Ran, lost: tuple[str, str]) -> None:
    key, _ = lost
    code, out, err = ran('--yes')
    assert code == 6
    assert 'Left: 1 missing object' in out
    assert key in out
    assert 'node' in out
    assert '1 missing object left' in err


def test_the_report_as_json(ran: Ran, lost: tuple[str, str]) -> None:
    key, copy = lost
    code, out, _ = ran('--from', copy, '--yes', '--format', 'json')
    report: dict[str, Any] = json.loads(out)
    assert code == report['exit_code'] == 0
    expected = {'fault': 'missing object', 'subject': key, 'deed': 'take it from a source', 'source': copy}
    assert report['done'] == [{**expected, 'detail': ''}]
    assert report['found'] == {'missing object': 1}
    assert report['left'] == {}


def test_what_is_no_source_is_wrong_usage(ran: Ran) -> None:
    code, _, err = ran('--from', 'nowhere')
    assert code == 2
    assert "neither a profile nor a file or folder 'nowhere'" in err


def test_an_archive_cannot_be_repaired(reference_home: Path, tmp_path: Path) -> None:
    assert run(['-q', '-p', PROFILE, 'archive', 'create', '--all', str(tmp_path / 'all.aiida')]) == 0
    assert run(['--archive', str(tmp_path / 'all.aiida'), 'storage', 'repair']) == 1


def test_a_place_of_backups_is_mended_in_place_of_a_profile(
    ran: Ran, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = str(tmp_path / 'place')
    assert run(['-q', '-p', PROFILE, 'storage', 'backup', place]) == 0
    (tmp_path / 'place' / 'repository.json').unlink()
    assert run(['storage', 'snapshots', place]) == 3
    assert f'`ricordi storage repair --backup {place}` mends it' in capsys.readouterr().err
    assert run(['storage', 'repair', '--backup', place, '--dry-run', '--format', 'json']) == 6
    plan = json.loads(capsys.readouterr().out)
    assert (plan['place'], plan['planned'][0]['fault']) == (place, 'lost description')
    assert run(['storage', 'repair', '--backup', place, '--yes']) == 0
    assert f'Repair of the backups in {place}.' in capsys.readouterr().out
    assert run(['storage', 'snapshots', place]) == 0


@pytest.mark.parametrize('words', [['-p', PROFILE, 'storage', 'repair'], ['storage', 'repair', '--database']])
def test_a_place_comes_alone(reference_home: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*words, '--backup', 'place']) == 2
    assert 'in place of a profile' in capsys.readouterr().err
