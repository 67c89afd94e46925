"""Two profiles on one storage: writers of AiiDA and of Ricordi through both, full maintenance through both, at once.

`python tests/faults/two_profiles.py --for 3600`, with `RICORDI_AIIDA_PYTHON` set.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

WRITER = Path(__file__).with_name('write_nodes.py')
NAMES = ('one', 'two')


class Trial:
    """One storage under two names, used and maintained through both until the time is over."""

    def __init__(self, folder: Path, seconds: float, aiida: str | None) -> None:
        """
        :param aiida: the Python of an environment with aiida-core; None: only Ricordi writes.
        """
        self.environment = {**os.environ, 'AIIDA_PATH': str(folder / '.aiida')}
        self.deadline = time.monotonic() + seconds
        self.writers = {'ricordi': sys.executable, **({'aiida': aiida} if aiida else {})}
        self.stored: dict[str, str] = {}
        self.counted: Counter[str] = Counter()
        self._mutex = threading.Lock()
        self._storage = folder / 'storage'

    def run(self) -> None:
        """Set up, write and maintain until the time is over."""
        for name in NAMES:
            done = self.ricordi(
                *('profile', 'setup', 'core.sqlite_dos', '--profile-name', name, '--email', 'a@b.c'),
                *('--filepath', str(self._storage), '-n'),
            )
            assert done.returncode == 0, done.stderr
        threads = [threading.Thread(target=self._maintain, args=(name,)) for name in NAMES]
        threads += [threading.Thread(target=self._write, args=(kind, name)) for kind in self.writers for name in NAMES]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def ricordi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command line, to its end."""
        words = [sys.executable, '-m', 'ricordi', *arguments]
        return subprocess.run(words, env=self.environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)

    def _write(self, kind: str, name: str) -> None:
        while time.monotonic() < self.deadline:
            words = [self.writers[kind], str(WRITER), kind, name, str(random.uniform(0.5, 4))]
            done = subprocess.run(words, env=self.environment, capture_output=True, text=True)
            told = done.stdout.splitlines()
            with self._mutex:
                self.stored.update(line.split() for line in told if not line.startswith('#'))  # type: ignore[misc]
                self.counted[f'{kind}: writers that ended with {done.returncode}'] += 1
                self.counted.update(' '.join(line.split()[1:2]) for line in told if line.startswith('#'))
            time.sleep(random.random())

    def _maintain(self, name: str) -> None:
        while time.monotonic() < self.deadline:
            options = random.choice(([], ['--repack', 'all'], ['--compress', 'yes', '--repack', 'all']))
            done = self.ricordi(
                '-p', name, 'storage', 'maintain', '--full', '--yes', '--wait', '60', '--format', 'json', *options
            )
            with self._mutex:
                self.counted[f'maintenance that ended with {done.returncode}'] += 1
            if done.returncode not in (0, 5):
                self.counted[done.stderr[-300:]] += 1
            time.sleep(random.random() * 2)

    def lost(self) -> list[str]:
        """The uuids of nodes that were stored and are not there with their file as it was written."""
        program = (
            'import sys, json, hashlib; from ricordi import load_profile, orm; load_profile("one"); lost = []\n'
            'for uuid, key in json.load(sys.stdin).items():\n'
            '    try:\n'
            '        content = orm.load_node(uuid).base.repository.get_object_content("content", "rb")\n'
            '        good = hashlib.sha256(content).hexdigest() == key\n'
            '    except Exception as error:\n'
            '        print(uuid, repr(error), file=sys.stderr); good = False\n'
            '    lost += [] if good else [uuid]\n'
            'print(json.dumps(lost))'
        )
        done = subprocess.run(
            [sys.executable, '-c', program],
            env=self.environment,
            input=json.dumps(self.stored),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        found: list[str] = json.loads(done.stdout)
        return found


def main() -> int:
    """Run it from a shell."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--for', dest='seconds', type=float, default=3600)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory(prefix='two-profiles-') as folder:
        trial = Trial(Path(folder), seconds, os.environ.get('RICORDI_AIIDA_PYTHON'))
        trial.run()
        lost = trial.lost()
    for what, count in sorted(trial.counted.items()):
        print(f'{count:6} {what}')
    print(f'{len(trial.stored)} nodes stored, {len(lost)} lost {lost[:5]}')
    return 1 if lost else 0


if __name__ == '__main__':
    sys.exit(main())
