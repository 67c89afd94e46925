"""The parsed results of a calculation job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ricordi.backend.rows import NodeRow
from ricordi.backend.storage import StorageBackend
from ricordi.errors import CorruptStorage, NotExistent, NotExistentKeyError
from ricordi.model.values import is_damaged
from ricordi.services.calcjobs.files import created_node
from ricordi.services.nodes.show import neighbours
from ricordi.services.suggestion import did_you_mean

USUAL = 'output_parameters'
"""The output in which nearly every plug-in puts the results."""
_DICT = 'data.core.dict.Dict.'


def results_of(storage: StorageBackend, row: NodeRow, keys: Sequence[str] = ()) -> dict[str, Any]:
    """The items of the Dict with the results: the output `output_parameters`, or the only Dict among the outputs.

    :param keys: only these, in this order.
    :raises ricordi.errors.NotExistent: the job has no such output.
    :raises ricordi.errors.NotExistentKeyError: there is no such key.
    """
    results = _results(storage, row)
    missing = next((key for key in keys if key not in results), None)
    if missing is not None:
        raise NotExistentKeyError(
            f'the results of calculation job {row.pk} have no key {missing!r}{did_you_mean(missing, results)}'
        )
    return {key: results[key] for key in keys} if keys else results


def _results(storage: StorageBackend, row: NodeRow) -> dict[str, Any]:
    assert row.pk is not None
    outputs = [one for one in neighbours(storage, row.pk, forward=True) if one.link_type == 'create']
    labels = [one.link_label for one in outputs if one.node_type == _DICT]
    label = USUAL if USUAL in [one.link_label for one in outputs] else labels[0] if len(labels) == 1 else None
    node = None if label is None else created_node(storage, row.pk, label)
    if node is None:
        known = ', '.join(one.link_label for one in outputs) or 'none'
        raise NotExistent(
            f'calculation job {row.pk} has no output {USUAL!r}, where its results would be; its outputs: {known}'
        )
    if is_damaged(node.attributes):
        raise CorruptStorage(f'the results of calculation job {row.pk}, node {node.pk}, cannot be read: damaged')
    return dict(node.attributes)
