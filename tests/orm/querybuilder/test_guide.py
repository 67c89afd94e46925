"""The guide on querying: every snippet runs and prints what stands beside it; its table is what filters do."""

from __future__ import annotations

import contextlib
import io
import json
import re
from pathlib import Path
from typing import Any

from ricordi.manager import get_manager, initialise_storage, load_profile
from ricordi.orm import Dict, QueryBuilder, User

GUIDE = Path(__file__).parents[3] / 'docs' / 'guide-querying.md'
SNIPPET = re.compile(r'^```python\n(.*?)^```', re.MULTILINE | re.DOTALL)
PRINT = re.compile(r'^ *print\(.*\)  # (.*)$', re.MULTILINE)


def test_snippets_print_what_the_guide_says(empty_home: Path) -> None:
    empty_home.mkdir(parents=True)
    storage = {'backend': 'core.sqlite_dos', 'config': {'filepath': str(empty_home / 'storage')}}
    control = {'backend': None, 'config': None}
    profile = {'default_user_email': 'a@b.c', 'storage': storage, 'process_control': control, 'PROFILE_UUID': '0' * 32}
    versions = {'CURRENT': 9, 'OLDEST_COMPATIBLE': 9}
    config = {'CONFIG_VERSION': versions, 'default_profile': 'guide', 'profiles': {'guide': profile}}
    (empty_home / 'config.json').write_text(json.dumps(config))
    get_manager().unload_profile()
    initialise_storage(load_profile())
    User('a@b.c').store()
    snippets = SNIPPET.findall(GUIDE.read_text('utf-8'))
    assert len(snippets) >= 10
    namespace: dict[str, Any] = {'__name__': '__guide__'}
    try:
        for snippet in snippets:
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(snippet, str(GUIDE), 'exec'), namespace)
            assert printed.getvalue().splitlines() == PRINT.findall(snippet)
    finally:
        get_manager().unload_profile()


def test_the_table_of_none_and_negation_holds(storage: Any) -> None:
    header, _, *lines = [
        line
        for line in GUIDE.read_text('utf-8').splitlines()
        if line.startswith(('| `attributes.x`', '|---|---|---|---|---|---|---|---|---|---|---|---|'))
        or re.match(r'\| (`.*`|missing) \| (yes|no) \|', line)
    ]
    asked = [cell.strip().strip('`') for cell in header.strip('|').split('|')[1:]]
    assert len(asked) == 11
    assert len(lines) == 6
    for line in lines:
        value, *answers = [cell.strip().strip('`*') for cell in line.strip('|').split('|')]
        node = Dict({} if value == 'missing' else {'x': json.loads(value)}).store()
        for question, answer in zip(asked, answers, strict=True):
            operator, operand = question.split(' ', 1)
            wanted = operand if 'of_type' in operator else None if operand == 'None' else json.loads(operand)
            query = QueryBuilder().append(Dict, filters={'id': node.pk, 'attributes.x': {operator: wanted}})
            assert query.count() == (answer == 'yes'), f'{value}: {question}'
