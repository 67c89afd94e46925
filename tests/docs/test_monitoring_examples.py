"""What is shipped for monitors runs: units that systemd takes, a check that hands on what `status` says, rules."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from programs import needed
from ricordi.cli.main import load_command
from ricordi.cli.monitoring.prometheus import GAUGES
from ricordi.cli.tree import leaves

EXAMPLES = Path(__file__).parents[2] / 'docs' / 'examples' / 'monitoring'
UNITS = sorted((*EXAMPLES.glob('*.service'), *EXAMPLES.glob('*.timer')))


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    program = needed('systemd-analyze')
    done = subprocess.run(
        [program, 'verify', '--man=no', '--user', *UNITS],
        env={**os.environ, 'XDG_RUNTIME_DIR': str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, '')


@pytest.mark.parametrize('unit', [path for path in UNITS if path.suffix == '.service'], ids=lambda path: path.name)
def test_what_a_unit_runs_is_a_command_line_of_ours(unit: Path) -> None:
    (line,) = re.findall(r'^ExecStart=(.*)$', unit.read_text(), re.MULTILINE)
    words = shlex.split(line)
    words = words[words.index('ricordi') + 1 :]
    words = [word for word in words if word != '-q']
    path, place = max(
        ((path, place) for path, _, place in leaves() if words[: len(path)] == list(path)), key=lambda one: len(one[0])
    )
    load_command(place).make_context('ricordi', words[len(path) :])
    assert (EXAMPLES / f'{unit.stem}.timer').exists()


def test_the_check_hands_on_line_and_code(reference_home: Path, tmp_path: Path) -> None:
    def check(*words: object, ricordi: str = f'{Path(sys.executable).parent}/ricordi') -> tuple[int, str]:
        done = subprocess.run(
            ['sh', EXAMPLES / 'check_ricordi', *map(str, words)],
            env={'PATH': os.environ['PATH'], 'HOME': str(tmp_path), 'RICORDI': ricordi},
            capture_output=True,
            text=True,
            timeout=240,
        )
        return done.returncode, done.stdout

    code, line = check(reference_home, '--max-age-full', '8d')
    assert (code, line.startswith('RICORDI WARNING - loose: maintenance: no full one is known of')) == (1, True)
    assert check() == (3, 'RICORDI UNKNOWN - usage: check_ricordi CONFIGURATION_FOLDER [OPTION...]\n')
    code, line = check(reference_home, ricordi='/nowhere/ricordi')
    assert (code, line.startswith('RICORDI UNKNOWN - there is no program')) == (3, True)
    assert os.access(EXAMPLES / 'check_ricordi', os.X_OK)


def test_rules_for_alerts_name_gauges_that_are_there() -> None:
    yaml = pytest.importorskip('yaml')
    rules = yaml.safe_load((EXAMPLES / 'alerts.yml').read_text())['groups'][0]['rules']
    named = {name for rule in rules for name in re.findall(r'ricordi_[a-z_]+', rule['expr'])}
    assert named
    assert named <= set(GAUGES)
