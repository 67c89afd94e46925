"""Durations, percentages and bytes as people type and read them."""

import pytest

from ricordi.cli.terminal.quantities import format_bytes, format_seconds, parse_duration, parse_percent, plural
from ricordi.errors import UsageError


@pytest.mark.parametrize(
    ('text', 'seconds'),
    [
        ('90', 90),
        ('0', 0),
        ('45s', 45),
        ('10m', 600),
        ('2h', 7200),
        ('1h30m', 5400),
        ('1.5h', 5400),
        ('1d', 86400),
        ('1h 2', 3602),
    ],
)
def test_a_duration_is_read_in_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize('text', ['', 'soon', '-5m', '10 parsecs', 'h', '1.2.3s', 'nan', 'inf'])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r'write it like 90s, 10m, 2h'):
        parse_duration(text)


@pytest.mark.parametrize(('text', 'value'), [('10', 10), ('10%', 10), ('0', 0), ('100', 100), ('2.5', 2.5)])
def test_a_percentage_is_read_with_or_without_its_sign(text: str, value: float) -> None:
    assert parse_percent(text) == value


@pytest.mark.parametrize('text', ['-1', '101', 'half', 'nan'])
def test_what_is_no_percentage_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match='from 0 to 100'):
        parse_percent(text)


@pytest.mark.parametrize(
    ('count', 'text'),
    [(0, '0 B'), (999, '999 B'), (1000, '1.00 kB'), (1_240_000, '1.24 MB'), (999_999, '1.00 MB'), (54e9, '54.0 GB')],
)
def test_bytes_are_written_with_three_digits(count: int, text: str) -> None:
    assert format_bytes(count) == text


@pytest.mark.parametrize(
    ('seconds', 'text'),
    [(0.0123, '0.012 s'), (3.44, '3.4 s'), (59.97, '1 min 00 s'), (125, '2 min 05 s'), (12000, '3 h 20 min')],
)
def test_durations_are_written_for_a_person(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


def test_one_is_singular() -> None:
    assert (plural(1, 'object'), plural(2000, 'object')) == ('1 object', '2,000 objects')
