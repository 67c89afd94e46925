"""The example of docs/storage-backends.md, installed like a package of somebody else's, keeps the contract."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.suite import StorageContract

DOCS = Path(__file__).parents[2] / 'docs'
EXAMPLE = DOCS / 'examples' / 'split_storage.py'


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example as an installed distribution with its entry point."""
    info = tmp_path / 'site' / 'split_storage-1.0.dist-info'
    info.mkdir(parents=True)
    shutil.copy(EXAMPLE, tmp_path / 'site')
    (info / 'METADATA').write_text('Metadata-Version: 2.1\nName: split-storage\nVersion: 1.0\n')
    (info / 'entry_points.txt').write_text('[ricordi.storage]\nexample.split = split_storage:SplitStorage\n')
    monkeypatch.syspath_prepend(tmp_path / 'site')


class TestSplitStorage(StorageContract):
    @pytest.fixture
    def storage(self, opened: Callable[..., Any], installed: None, tmp_path: Path) -> Iterator[Any]:
        config = {'database': str(tmp_path / 'fast' / 'nodes.sqlite'), 'objects': str(tmp_path / 'large')}
        with opened('example.split', config, new=True) as storage:
            yield storage


def test_the_page_shows_the_file_as_it_is() -> None:
    assert f'```python\n{EXAMPLE.read_text()}```\n' in (DOCS / 'storage-backends.md').read_text()
    assert len(EXAMPLE.read_text().splitlines()) < 100
