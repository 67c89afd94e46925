"""Every snippet of the guides runs, and prints what the comment beside it says."""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ricordi import orm
from ricordi.manager import get_manager, initialise_storage, load_profile
from ricordi.orm.log_handler import LOGGER_NAME

DOCS = Path(__file__).parents[2] / 'docs'
SNIPPET = re.compile(r'^```python\n(.*?)^```', re.MULTILINE | re.DOTALL)
PRINT = re.compile(r'^ *print\(.*\)  # (.*)$', re.MULTILINE)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A configuration folder with a new default profile."""
    home = tmp_path / '.aiida'
    home.mkdir()
    profile = {
        'PROFILE_UUID': '0' * 32,
        'default_user_email': 'verdi@opera.net',
        'storage': {'backend': 'core.sqlite_dos', 'config': {'filepath': str(tmp_path / 'storage')}},
        'process_control': {'backend': None, 'config': None},
    }
    config = {
        'CONFIG_VERSION': {'CURRENT': 9, 'OLDEST_COMPATIBLE': 9},
        'default_profile': 'guide',
        'profiles': {'guide': profile},
    }
    (home / 'config.json').write_text(json.dumps(config))
    monkeypatch.setenv('AIIDA_PATH', str(home))
    get_manager().unload_profile()
    initialise_storage(load_profile())
    orm.User('verdi@opera.net', 'Giuseppe', 'Verdi').store()
    yield home
    get_manager().unload_profile()
    import logging

    logging.getLogger(LOGGER_NAME).handlers[:] = []


@pytest.mark.parametrize('name', ['guide-storing.md', 'guide-groups.md'])
def test_snippets_print_what_the_page_says(name: str, home: Path) -> None:
    text = (DOCS / name).read_text('utf-8')
    snippets = SNIPPET.findall(text)
    assert len(snippets) >= 4
    namespace: dict[str, Any] = {'__name__': '__guide__', '__file__': __file__}
    for snippet in snippets:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(snippet, name, 'exec'), namespace)
        assert printed.getvalue().splitlines() == PRINT.findall(snippet)
