"""What labels, addresses, keys and the settings of a computer may be."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ricordi.errors import ValidationError, WrongType, WrongValue
from ricordi.model.computers import check_computer, check_settings
from ricordi.model.keys import check_key
from ricordi.model.labels import check_code_label, check_label, validate_link_label
from ricordi.model.people import checked_email, normalized_email


@pytest.mark.parametrize('label', ['a', ' a ', 'a b', '1', 'a/b', 'a@b', 'wow!', 'ü', '名', '-a', '.', '%'])
def test_a_label_is_any_text_in_one_line(label: str) -> None:
    check_label(label, 'group')


@pytest.mark.parametrize('label', ['', ' ', '\u3000', 'a\nb', 'a\tb', 'a\x00', 'a\x1b[1m', 'a\u2028b', 'a\x85b', None])
def test_a_label_that_is_not_seen_or_breaks_the_line_is_refused(label: Any) -> None:
    with pytest.raises(WrongValue, match='the label of a computer cannot'):
        check_label(label, 'computer')


def test_a_label_is_a_text() -> None:
    with pytest.raises(WrongType, match='the label of a group is a string, got 5'):
        check_label(5, 'group')


def test_the_label_of_a_code_leaves_room_for_that_of_its_computer() -> None:
    check_code_label('pw')
    with pytest.raises(ValidationError, match='@'):
        check_code_label('pw@here')


@pytest.mark.parametrize('label', ['', '_a', 'a_', '1a', 'a.b', 'a b', 'a\n', 'ä'])
def test_a_link_label_is_an_identifier(label: str) -> None:
    for good in ('a', 'A1', 'a__b', 'a_1'):
        validate_link_label(good)
    with pytest.raises(ValidationError, match='invalid link label'):
        validate_link_label(label)


def test_the_domain_of_an_address_is_kept_in_lower_case() -> None:
    assert checked_email(' Ada@Example.ORG ') == normalized_email(' Ada@Example.ORG ') == 'Ada@example.org'
    assert checked_email('aiida@localhost') == 'aiida@localhost'
    assert normalized_email(' no address ') == 'no address'
    with pytest.raises(WrongType):
        normalized_email(None)  # type: ignore[arg-type]


@pytest.mark.parametrize('email', ['', 'not an address', 'a', 'a@', '@b', 'a b@c', 'a@b c', 'a\n@b', 'a@b\x00'])
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(WrongValue, match='no email address'):
        checked_email(email)


@pytest.mark.parametrize('key', ['', 'a.b', '.', 5, None])
def test_a_key_is_a_text_without_a_period(key: object) -> None:
    check_key('any other text', 'extras')
    with pytest.raises(ValidationError, match=r'extras: '):
        check_key(key, 'extras')


GOOD: dict[str, Any] = {
    'label': 'c',
    'hostname': 'h',
    'transport': 'core.ssh',
    'scheduler': 'core.slurm',
    'metadata': {'workdir': '/w/{username}', 'mpirun_command': ['srun', '-n', '{num_machines}'], 'mine': object()},
}


def test_a_computer_that_makes_sense_passes() -> None:
    check_computer(**GOOD)
    check_computer(**{**GOOD, 'transport': 'firecrest.http', 'scheduler': 'mine.queue', 'metadata': {}})
    check_settings({'workdir': None, 'shebang': None, 'mpirun_command': []}, 'core.direct')
    check_settings({'mpirun_command': ['{anything}']}, 'mine.queue')


@pytest.mark.parametrize(
    ('field', 'value', 'told'),
    [
        ('label', ' ', 'label'),
        ('label', 'a\nb', 'control'),
        ('hostname', '', 'hostname'),
        ('hostname', 'a\nb', 'control'),
        ('transport', 'core.nonsense', "no transport 'core.nonsense'"),
        ('transport', 'ssh', 'did you mean `core.ssh`?'),
        ('transport', '', 'empty'),
        ('scheduler', 'core.slrum', 'did you mean `core.slurm`?'),
        ('scheduler', '.x', "no scheduler '.x'"),
        ('metadata', {'workdir': 'relative'}, 'not an absolute path'),
        ('metadata', {'workdir': ''}, 'not an absolute path'),
        ('metadata', {'workdir': '/{user}'}, 'only {username}'),
        ('metadata', {'workdir': '/{'}, 'only {username}'),
        ('metadata', {'workdir': '/{}'}, 'only {username}'),
        ('metadata', {'workdir': '/{username.x}'}, 'only {username}'),
        ('metadata', {'workdir': 5}, 'workdir is of type int'),
        ('metadata', {'shebang': 'sh'}, '#!'),
        ('metadata', {'mpirun_command': ['srun', '{nodes}']}, '{tot_num_mpiprocs}'),
        ('metadata', {'mpirun_command': 'srun'}, 'mpirun_command is of type str'),
        ('metadata', {'default_mpiprocs_per_machine': 0}, 'positive'),
        ('metadata', {'default_memory_per_machine': -1}, 'positive'),
        ('metadata', {'default_mpiprocs_per_machine': True}, 'bool'),
    ],
)
def test_a_computer_that_makes_no_sense_is_refused(field: str, value: object, told: str) -> None:
    with pytest.raises(WrongValue, match=re.escape(told)):
        check_computer(**{**GOOD, field: value})
