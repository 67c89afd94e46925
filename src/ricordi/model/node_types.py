"""What the type of a node tells: which family it is of, what it is called, and how a process has ended.

A type string is a dotted path, the name of the class, and a dot: `process.calculation.calcjob.CalcJobNode.`. The
constants are what all type strings of a family begin with.
"""

from __future__ import annotations

from typing import Any

PROCESS = 'process.'
CALCULATION = 'process.calculation.'
CALCJOB = 'process.calculation.calcjob.'
WORKFLOW = 'process.workflow.'
WORKCHAIN = 'process.workflow.workchain.'
CODE = 'data.core.code.'
REMOTE = 'data.core.remote.'
SINGLE_FILE = 'data.core.singlefile.'

ACTIVE_STATES = ('created', 'running', 'waiting')
FINAL_STATES = ('finished', 'excepted', 'killed')
"""Where a process may stand, by its attribute `process_state`."""

BEGINNINGS = ('data.', 'process.', 'node.')
"""With one of these every type begins."""


def is_process(node_type: str) -> bool:
    """Whether nodes of the type are calculations or workflows, rather than data."""
    return node_type.startswith(PROCESS)


def class_name(node_type: str) -> str:
    """The name of the class: `Int` of `data.core.int.Int.`."""
    return node_type.rstrip('.').rpartition('.')[2]


def name_of(node_type: str, process_label: Any = None) -> str:
    """What a node is called for a person: the label of its process, else the name of its class."""
    if isinstance(process_label, str) and process_label and is_process(node_type):
        return process_label
    return class_name(node_type) or 'Node'


def has_ended_well(state: Any, exit_status: Any) -> bool:
    """Whether a process has finished, and with nothing to complain of.

    :param state: the attribute `process_state`; of a damaged node it may be anything.
    :param exit_status: the attribute `exit_status`.
    """
    return bool(state == 'finished' and exit_status == 0)


def state_in_words(state: Any, exit_status: Any) -> str:
    """How a process stands, with its exit status if it has finished: `finished [0]`; empty where it is not known."""
    if not isinstance(state, str):
        return ''
    return f'{state} [{exit_status}]' if state == 'finished' else state
