"""Archives that go to standard output: a zip file is written with steps back, so it is made elsewhere first."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ricordi.errors import UsageError

STDOUT = Path('-')
COPY_BYTES = 1 << 20


@contextmanager
def archive_output(path: Path) -> Iterator[Path]:
    """Where to write an archive that shall go to `path`; for `-` a temporary file, given out at the end of the block.

    :raises ricordi.errors.UsageError: standard output is a terminal.
    """
    if path != STDOUT:
        yield path
        return
    if sys.stdout.isatty():
        raise UsageError('`-` writes the archive to standard output: pipe it on, or name a file')
    from ricordi.files import TemporaryFolder

    with TemporaryFolder('archive') as folder:
        file = folder / 'archive.aiida'
        yield file
        with file.open('rb') as content:
            shutil.copyfileobj(content, sys.stdout.buffer, COPY_BYTES)
        sys.stdout.buffer.flush()
