"""An identifier is a pk first, then a uuid or its start, then a label; `LABEL!` is always the label."""

from __future__ import annotations

import pytest

from ricordi.errors import WrongValue
from ricordi.model.identifiers import full_label_parts, identifier_of, is_whole_uuid, read_identifier, uuid_start

UUID = 'abcdef01-2345-4678-9abc-def012345678'


def read(text: str) -> list[tuple[str, int | str]]:
    return [(reading.way.value, reading.value) for reading in read_identifier(text)]


@pytest.mark.parametrize(
    ('text', 'readings'),
    [
        ('12', [('pk', 12), ('label', '12')]),
        (' 12 ', [('pk', 12), ('label', ' 12 ')]),
        ('12345678', [('pk', 12345678), ('uuid', '12345678'), ('label', '12345678')]),
        ('12345678901', [('uuid', '12345678-901'), ('label', '12345678901')]),
        ('12-', [('uuid', '12'), ('label', '12-')]),
        ('012', [('uuid', '012'), ('label', '012')]),
        ('-12', [('label', '-12')]),
        ('+12', [('label', '+12')]),
        ('１２', [('label', '１２')]),
        ('1_000', [('label', '1_000')]),
        ('Cafe', [('uuid', 'cafe'), ('label', 'Cafe')]),
        (UUID.upper(), [('uuid', UUID), ('label', UUID.upper())]),
        (UUID.replace('-', ''), [('uuid', UUID), ('label', UUID.replace('-', ''))]),
        (UUID + '0', [('label', UUID + '0')]),
        ('alpha', [('label', 'alpha')]),
        (' alpha ', [('label', ' alpha ')]),
        ('12!', [('label', '12'), ('label', '12!')]),
        ('wow!!', [('label', 'wow!'), ('label', 'wow!!')]),
        ('!', [('label', '!')]),
    ],
)
def test_what_a_text_may_mean_is_told_in_the_order_of_the_attempts(
    text: str, readings: list[tuple[str, int | str]]
) -> None:
    assert read(text) == readings


@pytest.mark.parametrize('text', ['', ' ', '\n'])
def test_nothing_names_nothing(text: str) -> None:
    with pytest.raises(WrongValue, match='empty'):
        read_identifier(text)


@pytest.mark.parametrize(
    ('text', 'start'),
    [('ABC', 'abc'), ('abcdef012', 'abcdef01-2'), ('a-b-c', 'abc'), ('-a', None), ('', None), ('-', None), ('g', None)],
)
def test_the_start_of_a_uuid_is_read_with_and_without_hyphens(text: str, start: str | None) -> None:
    assert uuid_start(text) == start


def test_a_whole_uuid_is_told_from_a_start() -> None:
    assert is_whole_uuid(UUID)
    assert is_whole_uuid(UUID.replace('-', '').upper())
    assert not is_whole_uuid(UUID[:-1])
    assert not is_whole_uuid('x' * 36)


@pytest.mark.parametrize('label', ['alpha', '12', 'cafe', 'wow!', '!', '0', ' ', '2026-11-27', 'a b', '-1'])
def test_what_a_label_is_offered_as_is_read_as_that_label_first(label: str) -> None:
    offered = identifier_of(label)
    assert read(offered)[0] == ('label', label)
    assert (offered == label) == (label in ('alpha', '!', 'a b', '-1'))


@pytest.mark.parametrize(
    ('text', 'parts'), [('pw', None), ('pw@', None), ('pw@one', ('pw', 'one')), ('pw@me@one', ('pw', 'me@one'))]
)
def test_the_label_of_a_code_ends_where_that_of_its_computer_begins(text: str, parts: tuple[str, str] | None) -> None:
    assert full_label_parts(text) == parts
