"""Single arguments that nobody means: what is told of them, and that what is secret stays so."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostile.conftest import RunThrough


@pytest.mark.parametrize('value', ['inf', 'nan', '-inf', '1e10', '1e400'])
def test_days_that_nobody_has_are_wrong_usage(run_through: RunThrough, reference_home: Path, value: str) -> None:
    assert run_through(['-p', 'mixed', 'node', 'list', '-p', value])[0] in (0, 2)


def test_standard_input_that_is_no_text_is_wrong_usage(run_through: RunThrough, reference_home: Path) -> None:
    assert run_through(['-p', 'mixed', 'node', 'show', '-'], b'\xff\xfe')[0] == 2


@pytest.mark.parametrize(
    'uri',
    ['postgresql://u:secret@h:port/x', 'postgresql://[', 'secret', 'mysql://u:secret@h/x', 'postgresql://\x00', ''],
)
def test_an_address_of_an_administrator_of_wrong_form_is_wrong_usage_and_stays_secret(
    run_through: RunThrough, empty_home: Path, uri: str
) -> None:
    words = ['profile', 'setup', 'core.psql_dos', '-p', 'x', '--email', 'a@b.c', '-n', '--admin-uri', uri]
    code, told = run_through(words)
    assert (code, 'secret' in told) == (2, False)
