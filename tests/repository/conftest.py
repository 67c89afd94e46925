"""Fixtures of the container's tests: fresh containers, maintenance in a line, snapshots of a folder, damage."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from ricordi.backend.maintenance import MaintenanceOptions, MaintenanceReport
from ricordi.progress import Run, Stop
from ricordi.repository.container.container import Container
from ricordi.repository.limits import Limits


@pytest.fixture
def container(tmp_path: Path) -> Iterator[Container]:
    """An empty container."""
    with Container(tmp_path / 'container') as made:
        made.initialise()
        yield made


@pytest.fixture
def limited(container: Container) -> Iterator[Callable[..., Container]]:
    """The same container, opened with smaller limits: `limited(commit_objects=5)`."""
    with ExitStack() as stack:
        yield lambda **limits: stack.enter_context(Container(container.layout.folder, Limits(**limits)))


@pytest.fixture
def new_container(tmp_path: Path) -> Iterator[Callable[..., Container]]:
    """Makes empty containers, with `pack_size_target` or `loose_prefix_len` if given."""
    made: list[Container] = []

    def make(**kwargs: Any) -> Container:
        container = Container(tmp_path / f'container-{len(made)}')
        container.initialise(**kwargs)
        made.append(container)
        return container

    yield make
    for container in made:
        container.close()


@pytest.fixture
def maintain() -> Callable[..., MaintenanceReport]:
    """Maintains a container: `maintain(container, named_keys, full=True, …)`; no names stands for: all are named."""

    def run(
        container: Container, named: Iterable[str] | None = None, stop: Stop | None = None, **options: Any
    ) -> MaintenanceReport:
        keys = sorted(set(container.list_objects() if named is None else named))
        return container.maintain(MaintenanceOptions(**options), lambda: iter(keys), Run(stop=stop or Stop()))

    return run


@pytest.fixture
def snapshot() -> Callable[[Path], dict[str, tuple[int, bytes]]]:
    """Every file of a folder with time of change and content, to tell that nothing was written."""

    def take(folder: Path) -> dict[str, tuple[int, bytes]]:
        return {
            str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b'')
            for path in sorted(folder.rglob('*'))
        }

    return take


@pytest.fixture
def contents() -> Callable[..., list[bytes]]:
    """Different contents, the same in each run: `contents(20)`, some compressible, some not, sizes up to 4 KiB."""

    def make(number: int, seed: int = 0, largest: int = 4096) -> list[bytes]:
        source = random.Random(seed)
        made = []
        for i in range(number):
            size = source.randrange(1, largest)
            made.append(source.randbytes(size) if i % 2 else (b'%d %d ' % (seed, i) * size)[: size + 8])
        return made

    return make


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def key_of() -> Callable[[bytes], str]:
    """The key that a content has."""
    return sha256


@pytest.fixture
def assert_holds() -> Callable[[Container, Iterable[bytes]], None]:
    """Asserts that a container has these contents, one by one and in bulk."""

    def check(container: Container, contents: Iterable[bytes]) -> None:
        wanted = {sha256(content): content for content in contents}
        for key, content in wanted.items():
            assert container.get_object_content(key) == content
            with container.open(key) as handle:
                assert handle.read() == content
        assert {key: handle.read() for key, handle in container.iter_object_streams(wanted)} == wanted

    return check


@pytest.fixture
def spoil() -> Callable[..., None]:
    """Turns the bits of a stretch of a file: `spoil(path, offset, length)`."""

    def turn(path: Path, offset: int = 0, length: int = 1) -> None:
        with path.open('r+b') as handle:
            handle.seek(offset)
            found = handle.read(length)
            handle.seek(offset)
            handle.write(bytes(byte ^ 0xFF for byte in found))

    return turn


@pytest.fixture
def as_ordinary_user() -> Callable[[Callable[[], Any]], str]:
    """Runs a function in a forked child that is not root, and returns what it returned or raised, as text."""

    def run(function: Callable[[], Any]) -> str:
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            try:
                os.close(reading)
                if os.geteuid() == 0:
                    os.setgid(65534)
                    os.setuid(65534)
                try:
                    result = repr(function())
                except Exception as error:
                    result = f'{type(error).__name__}: {error}'
                os.write(writing, result.encode())
            finally:
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading, 'rb') as pipe:
            result = pipe.read().decode()
        os.waitpid(child, 0)
        return result

    return run
