"""Several threads work on one node, each with a handle and a connection of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ricordi import orm
from ricordi.errors import ModificationNotAllowed
from ricordi.orm import LinkType


def test_no_extra_is_lost(storage: Any) -> None:
    node = orm.Int(1).store()

    def set_some(thread: int) -> None:
        handle = orm.load_node(node.pk, backend=storage)
        for number in range(10):
            handle.base.extras.set(f'{thread}_{number}', number)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(set_some, range(4)))
    assert len(node.refresh().base.extras.all) == 40


def test_an_output_label_is_taken_once(storage: Any) -> None:
    calculation = orm.CalculationNode().store()

    def make_output(_: int) -> bool:
        result = orm.Int(1, backend=storage)
        try:
            result.base.links.add_incoming(orm.load_node(calculation.pk, backend=storage), LinkType.CREATE, 'out')
            result.store()
        except ValueError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(make_output, range(8))).count(True) == 1
    assert len(calculation.base.links.get_outgoing()) == 1


def test_nothing_is_added_after_the_seal(storage: Any) -> None:
    node = orm.CalcJobNode().store()

    def change(number: int) -> bool:
        handle = orm.load_node(node.pk, backend=storage)
        try:
            if number == 5:
                handle.seal()
            else:
                handle.set_process_status(f'{number}')
        except ModificationNotAllowed:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(change, range(12)))
    status = orm.load_node(node.pk).process_status
    with pytest.raises(ModificationNotAllowed, match='sealed'):
        orm.load_node(node.pk).set_process_status('late')
    assert orm.load_node(node.pk).process_status == status
