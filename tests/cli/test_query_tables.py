"""`ricordi query --format parquet` and `arrow`: tables in files and pipes, never on a terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from ricordi.services.tables import ROWS_OF_A_GROUP, write_batches

NODES = {
    'path': [{'entity_type': 'process', 'tag': 'p'}],
    'project': {'p': ['pk', 'ctime', 'attributes.process_label']},
    'order_by': [{'p': 'pk'}],
}
Run = Callable[..., subprocess.CompletedProcess[Any]]


@pytest.fixture
def question(tmp_path: Path) -> Path:
    """A query in a file."""
    path = tmp_path / 'question.json'
    path.write_text(json.dumps(NODES))
    return path


@pytest.mark.parametrize('form', ['parquet', 'arrow'])
def test_a_file_holds_the_rows_with_their_types(
    run_here: Run, reference_home: Path, question: Path, tmp_path: Path, form: str
) -> None:
    file = tmp_path / f'table.{form}'
    words = ('-p', 'mixed', 'query', question, '--format', form, '-O', file)
    done = run_here(*words)
    assert (done.returncode, done.stdout) == (0, '')
    assert f'Wrote {file}: ' in done.stderr
    table = pyarrow.parquet.read_table(file) if form == 'parquet' else pa.ipc.open_file(file).read_all()
    assert table.schema.types == [pa.int64(), pa.timestamp('us', tz='UTC'), pa.string()]
    rows = json.loads(run_here('-p', 'mixed', 'query', question, '--format', 'json').stdout)
    assert table.column('p.pk').to_pylist() == [row['p']['pk'] for row in rows]
    assert [one.isoformat() for one in table.column('p.ctime').to_pylist()] == [row['p']['ctime'] for row in rows]
    before = file.read_bytes()
    assert run_here(*words).returncode == 2
    assert file.read_bytes() == before
    assert run_here(*words, '--overwrite').returncode == 0


def test_a_pipe_gets_a_stream_of_arrow(reference_home: Path, question: Path) -> None:
    words = [sys.executable, '-m', 'ricordi', '-p', 'mixed', 'query', question, '--format', 'arrow']
    done = subprocess.run(words, capture_output=True, check=True, timeout=240)
    assert pa.ipc.open_stream(done.stdout).read_all().column_names == ['p.pk', 'p.ctime', 'p.attributes.process_label']


def test_a_terminal_gets_no_table(run_in_terminal: Run, reference_home: Path, question: Path) -> None:
    done: Any = run_in_terminal('-p', 'mixed', 'query', question, '--format', 'parquet')
    assert done.returncode == 2
    assert 'name a file with -O' in done.screen


@pytest.mark.parametrize(
    'words',
    [
        ('--format', 'parquet', '--count'),
        ('--format', 'arrow', '--sql'),
        ('--format', 'json', '-O', 'x'),
        ('--nested', 'struct'),
        ('--format', 'parquet', '-O', '/nowhere/at/all'),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    run_here: Run, reference_home: Path, question: Path, words: tuple[str, ...]
) -> None:
    assert run_here('-p', 'mixed', 'query', question, *words).returncode == 2


def test_small_batches_lie_together_in_a_file_and_none_is_lost(tmp_path: Path) -> None:
    batch = pa.record_batch([pa.array(range(ROWS_OF_A_GROUP // 2))], names=['n'])
    with (tmp_path / 'x.parquet').open('wb') as handle:
        assert write_batches(iter([batch] * 3), handle, 'parquet') == 3 * batch.num_rows
    file = pyarrow.parquet.ParquetFile(tmp_path / 'x.parquet')
    assert (file.num_row_groups, file.metadata.num_rows) == (2, 3 * batch.num_rows)
