"""Every snippet of the guides runs, and prints what the comment beside it says."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ricordi.manager import get_manager
from ricordi.orm.log_handler import LOGGER_NAME
from ricordi.services.profiles.presto import default_name, default_person, presto

DOCS = Path(__file__).parents[2] / 'docs'
SNIPPET = re.compile(r'^```python\n(.*?)^```', re.MULTILINE | re.DOTALL)
PRINT = re.compile(r'^ *print\(.*\)  # (.*)$', re.MULTILINE)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A configuration folder with the profile that `ricordi presto` makes."""
    home = tmp_path / '.aiida'
    monkeypatch.setenv('AIIDA_PATH', str(home))
    get_manager().unload_profile()
    presto(default_name(), default_person())
    yield home
    get_manager().unload_profile()
    import logging

    logging.getLogger(LOGGER_NAME).handlers[:] = []


@pytest.mark.parametrize('name', ['guide-storing.md', 'guide-groups.md'])
def test_snippets_print_what_the_page_says(name: str, home: Path) -> None:
    text = (DOCS / name).read_text('utf-8')
    snippets = SNIPPET.findall(text)
    assert len(snippets) >= 4
    namespace: dict[str, Any] = {'__name__': '__guide__'}
    for snippet in snippets:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(snippet, name, 'exec'), namespace)
        assert printed.getvalue().splitlines() == PRINT.findall(snippet)
