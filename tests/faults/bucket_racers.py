"""Those who race over one bucket, each on a host of its own, started anew whenever they are killed."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from deadlines import wait_until
from hosts import words_on

HERE = Path(__file__).parent
ENOUGH = {'write': 15, 'ricordi': 5, 'aiida': 2, 'maintain': 3, 'maintain-full': 3}
"""Nodes, maintenances, of each process together with those that took its place."""


class Server(Protocol):
    """One that can be killed."""

    def kill(self) -> None: ...

    def start(self) -> None: ...


@dataclass
class Racer:
    """One that races.

    :param words: the program and what it is told, but for the seed and the file of the tally.
    """

    deed: str
    words: list[str]
    environment: dict[str, str]
    tally: Path
    chance: random.Random
    process: subprocess.Popen[bytes] | None = None
    began_with: int = 0
    kills: int = 0

    def start(self) -> None:
        self.began_with = self.done
        words = [*words_on(self.tally.name), *self.words, str(self.chance.randrange(1 << 30)), str(self.tally)]
        with self.tally.with_suffix('.told').open('ab') as told:
            self.process = subprocess.Popen(words, stderr=told, stdout=told, env=self.environment)

    @property
    def done(self) -> int:
        return self.tally.stat().st_size if self.tally.exists() else 0

    @property
    def has_done_something(self) -> bool:
        """Whether it has since it was started last."""
        self.expect_alive()
        return self.done > self.began_with

    @property
    def has_done_enough(self) -> bool:
        self.expect_alive()
        return self.done >= ENOUGH[self.deed]

    def expect_alive(self) -> None:
        assert self.process is not None
        assert self.process.poll() is None, self.tally.with_suffix('.told').read_text()[-5000:]

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()


@dataclass
class Race:
    """All who race over the bucket of one profile.

    :param home: the configuration folder of the profile; each host has a copy of it.
    :param aiida: its Python, and the variables with which it finds Ricordi; empty: it is not there.
    """

    settings: dict[str, Any]
    folder: Path
    home: Path
    aiida: tuple[str, dict[str, str]] | None
    chance: random.Random = field(default_factory=lambda: random.Random(5))
    racers: list[Racer] = field(default_factory=list)
    servers_killed: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def running(self) -> Iterator[None]:
        ours, variables = [sys.executable], self._variables({**os.environ, 'PYTHONPATH': ''})
        for deed in ('write', 'maintain', 'maintain-full'):
            words = [*ours, str(HERE / 'bucket_race.py'), deed, json.dumps(self.settings)]
            self._enter(deed, words, variables)
        self._enter('ricordi', [*ours, str(HERE / 'profile_race.py'), 'ricordi', 'by-ricordi'], variables)
        if self.aiida is not None:
            python, environment = self.aiida
            words = [python, str(HERE / 'profile_race.py'), 'aiida', 'by-aiida']
            self._enter('aiida', words, self._variables(environment))
        try:
            yield
        finally:
            for racer in self.racers:
                racer.kill()

    def _variables(self, environment: dict[str, str]) -> dict[str, str]:
        path = os.pathsep.join(part for part in (str(HERE.parent), environment['PYTHONPATH']) if part)
        return {**environment, 'PYTHONPATH': path}

    def _enter(self, deed: str, words: Sequence[str], variables: dict[str, str]) -> None:
        host = self.folder / f'host-{deed}'
        shutil.copytree(self.home, host / '.aiida')
        environment = {**variables, 'AIIDA_PATH': str(host), 'XDG_CACHE_HOME': str(host / 'cache')}
        self.racers.append(Racer(deed, [*words], environment, self.folder / deed, self.chance))
        self.racers[-1].start()

    def kill_some(self, count: int) -> None:
        for _ in range(count):
            self._kill(self.chance.choice(self.racers))

    def kill_each(self) -> None:
        for racer in self.chance.sample(self.racers, len(self.racers)):
            self._kill(racer)

    def _kill(self, racer: Racer) -> None:
        """Kill one at a random moment after it has done something, and start another in its place."""
        wait_until(lambda: racer.has_done_something, f'{racer.deed} does something')
        time.sleep(self.chance.random() * 0.1)
        racer.expect_alive()
        racer.kill()
        racer.kills += 1
        racer.start()

    def kill_server(self, server: Server) -> None:
        """Kill it, and start it again a moment later."""
        server.kill()
        self.servers_killed[type(server).__name__] += 1
        time.sleep(self.chance.random() * 0.2)
        server.start()

    def has_done_enough(self) -> bool:
        return all(racer.has_done_enough for racer in self.racers)

    @property
    def told(self) -> str:
        """What was done, for the record."""
        racers = [f'{racer.deed}: {racer.done} done, {racer.kills} killed' for racer in self.racers]
        return ', '.join([*racers, *(f'{name}: {count} killed' for name, count in self.servers_killed.items())])
