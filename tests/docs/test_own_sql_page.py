"""The code of docs/own-sql.md runs as it is shown."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / 'docs' / 'own-sql.md'


def test_the_examples_run_on_the_profile_that_is_loaded(
    reference_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import ricordi

    monkeypatch.setenv('AIIDA_PATH', str(reference_home))
    first, second = re.findall(r'^```python\n(.*?)^```', PAGE.read_text(encoding='utf-8'), re.MULTILINE | re.DOTALL)
    frames: list[Any] = []

    def read_sql(statement: Any, engine: Any) -> None:
        """As pandas does: ask the engine, and take the names of the columns from the answer."""
        with engine.connect() as connection:
            frames.append(connection.execute(statement).mappings().all())

    monkeypatch.setitem(__import__('sys').modules, 'pandas', SimpleNamespace(read_sql=read_sql))
    scope: dict[str, Any] = {}
    try:
        with ricordi.profile_context('mixed'):
            exec(first, scope)
            exec(second, scope)
    finally:
        ricordi.get_manager().unload_profile()
    assert 'data.cor' in capsys.readouterr().out
    assert frames
    assert frames[0]
    assert set(frames[0][0]) == {'id', 'ctime', 'value'}
