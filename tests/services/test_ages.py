"""How long ago something was, in the two forms that there are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ricordi.services.ages import ago, ago_in_short, span_in_words

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ('past', 'words', 'short'),
    [
        (timedelta(seconds=-5), 'just now', '0s ago'),
        (timedelta(seconds=59), 'just now', '59s ago'),
        (timedelta(minutes=1), '1 minute ago', '1m ago'),
        (timedelta(minutes=119), '1 hour ago', '1h ago'),
        (timedelta(hours=23), '23 hours ago', '23h ago'),
        (timedelta(days=1, hours=23), '1 day ago', '1D ago'),
        (timedelta(days=1200), '1,200 days ago', '1200D ago'),
    ],
)
def test_an_age_is_told_in_its_largest_unit(past: timedelta, words: str, short: str) -> None:
    assert (ago(NOW - past, NOW), ago_in_short(NOW - past, NOW)) == (words, short)


def test_a_span_under_a_minute_has_no_words() -> None:
    assert (span_in_words(59.9), span_in_words(60)) == ('', '1 minute')
