"""A test whose program is missing is skipped only where nobody said that the program has to be there."""

from __future__ import annotations

import pytest

from programs import needed


def test_a_program_that_is_here_is_found() -> None:
    assert needed('sh').endswith('/sh')
    assert needed('no-such-program', 'sh').endswith('/sh')


@pytest.mark.parametrize('required', [None, '', 'sh zsh'])
def test_a_missing_program_that_nobody_requires_skips_the_test(
    required: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv('RICORDI_REQUIRE_PROGRAMS', raising=False)
    if required is not None:
        monkeypatch.setenv('RICORDI_REQUIRE_PROGRAMS', required)
    with pytest.raises(pytest.skip.Exception, match='no-such-program is not installed'):
        needed('no-such-program')


@pytest.mark.parametrize('required', ['all', 'sh no-such-program'])
def test_a_missing_program_that_is_required_fails_the_test(required: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('RICORDI_REQUIRE_PROGRAMS', required)
    with pytest.raises(pytest.fail.Exception, match='no-such-program is not installed'):
        needed('no-such-program')
