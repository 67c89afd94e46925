"""Measure two commands against each other: A B A B …, whole processes, medians, peak memory by the kernel's account."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
WORK = HERE / 'local'
RESULTS = WORK / 'results'
MIB = 1 << 20
MOST_OUTPUT = 64 * 1024
INHERITED = {name: value for name, value in os.environ.items() if name != 'PYTHONDONTWRITEBYTECODE'}

Action = Callable[[], 'Run']


@dataclass(frozen=True, slots=True)
class Run:
    """What one process took.

    :param seconds: wall-clock; or, where a process times a part of itself, what it said.
    :param cpu_seconds: user and system time, children included.
    :param peak_bytes: largest resident set.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    code: int
    output: str = ''


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table: medians of both sides, and the bar that was set."""

    work: str
    ours: float | None
    peer: float | None
    bar: float | None
    runs: int
    ours_peak: int | None = None
    peer_peak: int | None = None
    unit: str = 's'
    note: str = ''
    ours_cpu: float | None = None
    peer_cpu: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times faster (or smaller) ours is."""
        return self.peer / self.ours if self.ours and self.peer else None


def run(
    command: Sequence[str | Path],
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    expect: Sequence[int] = (0,),
) -> Run:
    """Run a command to its end, without a terminal, and account for it.

    :param expect: exit codes that are no failure.
    :raises RuntimeError: for any other exit code; with what the command printed.
    """
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            list(map(str, command)),
            env={**INHERITED, **(environment or {})},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        # no more: the memory of this process counts as that of the children it begins
        output.seek(max(0, output.seek(0, os.SEEK_END) - MOST_OUTPUT))
        text = output.read().decode(errors='replace')
    if process.returncode not in expect:
        raise RuntimeError(f'exit code {process.returncode} from {" ".join(map(str, command))}:\n{text[-4000:]}')
    kilobyte = 1 if sys.platform == 'darwin' else 1024
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * kilobyte, process.returncode, text)


def pair(
    work: str,
    ours: Action | None,
    peer: Action | None,
    *,
    bar: float | None = None,
    runs: int = 5,
    before: Callable[[str], None] | None = None,
    note: str = '',
) -> Row:
    """Measure both sides in turn, `runs` times each; None leaves a side out.

    :param before: called with 'ours' or 'peer' ahead of each run, not timed: lays out fresh data.
    """
    done: dict[str, list[Run]] = {'ours': [], 'peer': []}
    for _ in range(runs):
        for side, action in (('ours', ours), ('peer', peer)):
            if action is None:
                continue
            if before is not None:
                before(side)
            done[side].append(action())
            last = done[side][-1]
            figures = f'{last.seconds:.3f} s, CPU {last.cpu_seconds:.2f} s, {last.peak_bytes / MIB:.0f} MiB'
            print(f'  {work} · {side}: {figures}', file=sys.stderr)
    seconds = {side: statistics.median(r.seconds for r in some) if some else None for side, some in done.items()}
    peaks = {side: max(r.peak_bytes for r in some) if some else None for side, some in done.items()}
    cpu = {side: statistics.median(r.cpu_seconds for r in some) if some else None for side, some in done.items()}
    return Row(
        work,
        seconds['ours'],
        seconds['peer'],
        bar,
        runs,
        peaks['ours'],
        peaks['peer'],
        note=note,
        ours_cpu=cpu['ours'],
        peer_cpu=cpu['peer'],
    )


def in_turn(
    ours: Callable[[], dict[str, float]] | None, peer: Callable[[], dict[str, float]] | None, runs: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Medians by name of what two programs report that time their own steps, run A B A B …"""
    done: tuple[list[dict[str, float]], list[dict[str, float]]] = ([], [])
    for _ in range(runs):
        for some, action in zip(done, (ours, peer), strict=True):
            if action is not None:
                some.append(action())
    medians = [
        {name: statistics.median(one[name] for one in some) for name in some[0]} if some else {} for some in done
    ]
    return medians[0], medians[1]


# environments and data -------------------------------------------------------------------------------------


def arguments(description: str | None) -> argparse.ArgumentParser:
    """A parser with the options that all scripts share."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--ours', type=Path, default=Path(sys.executable), help='Python with ricordi')
    parser.add_argument(
        '--peer', type=Path, default=WORK / 'peer' / 'bin' / 'python', help='Python with aiida-core (see README.md)'
    )
    parser.add_argument('--runs', type=int, default=3, help='runs of each side')
    parser.add_argument('--only', default='', help='only the parts whose name contains this')
    parser.add_argument('--side', choices=('both', 'ours', 'peer'), default='both')
    return parser


def clone(home: Path, target: Path, objects: bool = True) -> Path:
    """Copy a configuration folder with its data to `target`, in place of what is there, and return it.

    :param objects: copy loose objects too; without them it is quick, and enough for work on the database.
    """
    home = home.resolve()
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    if objects:
        subprocess.run(['cp', '-a', '--reflink=auto', home, target], check=True)
    else:
        shutil.copytree(home, target, ignore=lambda folder, names: names if Path(folder).name == 'loose' else ())
    config = target / '.aiida' / 'config.json'
    config.write_text(config.read_text().replace(str(home), str(target.resolve())))
    for record in (target / '.aiida' / 'access').glob('*/*.pid'):
        record.unlink()  # the process that made the profile has long ended
    os.sync()
    return target


# results ---------------------------------------------------------------------------------------------------


def machine() -> str:
    """The machine in words, without its name, and what else it had to do."""
    model = next(
        (line.split(':')[1].strip() for line in Path('/proc/cpuinfo').read_text().splitlines() if 'model name' in line),
        platform.processor(),
    )
    memory = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / (1 << 30)
    words = (
        f'{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}'
    )
    return f'{words}; load when it ended: {os.getloadavg()[0]:.0f}'


def save(table: str, rows: Sequence[Row]) -> None:
    """Keep rows under the table's name, in place of older rows of the same work, and print the table."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f'{table}.json'
    kept = json.loads(path.read_text())['rows'] if path.exists() else []
    new = {row.work: asdict(row) for row in rows}
    merged = [new.pop(old['work'], old) for old in kept] + list(new.values())
    path.write_text(
        json.dumps({'machine': machine(), 'date': time.strftime('%Y-%m-%d'), 'rows': merged}, indent=1) + '\n'
    )
    print(markdown(rows))


def markdown(rows: Sequence[Row]) -> str:
    """A table for a person."""
    lines = [
        '| work | peer | ours | ratio | bar | CPU ratio | peak peer | peak ours |',
        '|---|---|---|---|---|---|---|---|',
    ]
    for row in rows:
        work = f'{row.work} ({row.note})' if row.note else row.work
        bar = f'≥ {row.bar:g}×' if row.bar else '–'
        cpu = f'{row.peer_cpu / row.ours_cpu:.1f}×' if row.ours_cpu and row.peer_cpu else '–'
        cells = (amount(row.peer, row.unit), amount(row.ours, row.unit), verdict(row), bar, cpu)
        lines.append('| ' + ' | '.join((work, *cells, mebibytes(row.peer_peak), mebibytes(row.ours_peak))) + ' |')
    return '\n'.join(lines)


def amount(value: float | None, unit: str) -> str:
    """A measured value with three digits."""
    if value is None:
        return '–'
    return f'{value * 1000:.3g} ms' if unit == 's' and value < 0.1 else f'{value:.3g} {unit}'


def verdict(row: Row) -> str:
    """The ratio; in bold with a word where the bar is missed."""
    if row.ratio is None:
        return '–'
    text = f'{row.ratio:.1f}×'
    return text if row.bar is None or row.ratio >= row.bar else f'**{text} missed**'


def mebibytes(value: int | None) -> str:
    """Bytes as MiB."""
    return '–' if value is None else f'{value / MIB:.0f} MiB'
