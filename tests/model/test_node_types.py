"""What a type string tells of a node."""

from __future__ import annotations

from typing import Any

import pytest

from ricordi.model.node_types import class_name, has_ended_well, is_process, name_of, state_in_words

JOB = 'process.calculation.calcjob.CalcJobNode.'


@pytest.mark.parametrize(
    ('node_type', 'label', 'name'),
    [
        (JOB, 'PwCalculation', 'PwCalculation'),
        (JOB, None, 'CalcJobNode'),
        (JOB, {'damaged': True}, 'CalcJobNode'),
        ('data.core.int.Int.', 'not a process', 'Int'),
        ('', None, 'Node'),
    ],
)
def test_a_node_is_called_by_its_process_or_else_by_its_class(node_type: str, label: Any, name: str) -> None:
    assert name_of(node_type, label) == name


def test_processes_are_told_from_data() -> None:
    assert is_process(JOB)
    assert not is_process('data.core.dict.Dict.')
    assert class_name('data.core.dict.Dict.') == 'Dict'


@pytest.mark.parametrize(
    ('state', 'status', 'words', 'well'),
    [
        ('finished', 0, 'finished [0]', True),
        ('finished', 11, 'finished [11]', False),
        ('excepted', None, 'excepted', False),
        ('running', 0, 'running', False),
        (None, None, '', False),
        (['damaged'], 0, '', False),
    ],
)
def test_how_a_process_stands_is_said_in_words(state: Any, status: Any, words: str, well: bool) -> None:
    assert (state_in_words(state, status), has_ended_well(state, status)) == (words, well)
