"""From 0.5 to 0.6: times among attributes and extras tell that they are UTC; old jobs get the state of a process."""

from __future__ import annotations

from typing import Any, NamedTuple

from ricordi.storage.archive.legacy.records import NodeRecord, Step

CALC_JOB = 'process.calculation.calcjob.CalcJobNode.'
DATE = 'date'
LABEL = 'Legacy JobCalculation'


class OldJobState(NamedTuple):
    """What a process in such a state would have as attributes."""

    process_state: str
    exit_status: int | None = None

    def process_status(self, state: str) -> str | None:
        """What is told of it in words; nothing of one that had run to its end."""
        return None if self.process_state == 'finished' else f'Legacy `JobCalculation` with state `{state}`'


STATES = {
    **dict.fromkeys(
        ('NEW', 'TOSUBMIT', 'SUBMITTING', 'WITHSCHEDULER', 'COMPUTED', 'RETRIEVING', 'PARSING'), OldJobState('killed')
    ),
    **dict.fromkeys(('SUBMISSIONFAILED', 'RETRIEVALFAILED', 'PARSINGFAILED'), OldJobState('excepted')),
    'FAILED': OldJobState('finished', 2),
    'FINISHED': OldJobState('finished', 0),
}


def _node(record: NodeRecord) -> None:
    record.attributes.value = _with_zones(record.attributes.value, record.attribute_dates.value)
    record.extras.value = _with_zones(record.extras.value, record.extra_dates.value)
    if record.node_type == CALC_JOB:
        _tell_state(record.attributes.dictionary)


def _with_zones(value: Any, dates: Any) -> Any:
    """The same value with the zone behind each time.

    :param dates: `date` where the value is one, in the same nesting; None where there is nothing to do.
    """
    if dates is None:
        return value
    if isinstance(value, dict) and isinstance(dates, dict):
        return {key: _with_zones(part, dates.get(key)) for key, part in value.items()}
    if isinstance(value, list) and isinstance(dates, list):
        changed = [_with_zones(part, kind) for part, kind in zip(value, dates, strict=False)]
        return changed + value[len(changed) :]
    return f'{value}+00:00' if dates == DATE else value


def _tell_state(attributes: dict[str, Any]) -> None:
    state = attributes.get('state')
    found = STATES.get(state) if isinstance(state, str) else None
    if found is None:
        return
    del attributes['state']
    told = {
        'exit_status': found.exit_status,
        'process_state': found.process_state,
        'process_status': found.process_status(str(state)),
        'process_label': LABEL,
    }
    attributes.update({name: value for name, value in told.items() if value is not None})


STEP = Step('0.6', node=_node)
