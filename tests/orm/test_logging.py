"""What the logger of a process node logs is kept with the node."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from ricordi import orm
from ricordi.backend.rows import LogRow
from ricordi.errors import ValidationError
from ricordi.orm.log_handler import LOGGER_NAME


@pytest.fixture(autouse=True)
def _clean_logger() -> Iterator[None]:
    yield
    logger = logging.getLogger(LOGGER_NAME)
    logger.handlers[:] = []
    logger.setLevel(logging.NOTSET)


JOB = 'aiida.orm.nodes.process.calculation.calcjob.CalcJobNode'


def logs(node: Any) -> list[orm.Log]:
    return orm.Log.collection.get_logs_for(node)


def test_a_record_is_kept_with_its_node(storage: Any) -> None:
    node, other = orm.CalcJobNode().store(), orm.WorkChainNode().store()
    node.logger.error('it failed: %s', 'réason', extra={'mine': {'a': 1}})
    other.logger.warning('elsewhere')
    (log,) = logs(node)
    assert (log.message, log.levelname, log.loggername) == ('it failed: réason', 'ERROR', JOB)
    assert log.dbnode_id == node.pk
    assert log.node == node
    assert abs((datetime.now(UTC) - log.time).total_seconds()) < 900  # less than any mistake with time zones
    assert log.metadata['msg'] == 'it failed: %s'
    assert log.metadata['args'] == "('réason',)"
    assert log.metadata['funcName'] == 'test_a_record_is_kept_with_its_node'
    assert log.metadata['mine'] == {'a': 1}
    assert log.metadata['dbnode_id'] == node.pk
    assert 'backend' not in log.metadata


def test_an_exception_is_kept_with_its_traceback(storage: Any) -> None:
    node = orm.CalcJobNode().store()
    try:
        raise RuntimeError('boom')
    except RuntimeError:
        node.logger.exception('while running')
    (log,) = logs(node)
    assert log.message.startswith('Traceback')
    assert 'RuntimeError: boom' in log.message
    assert 'RuntimeError: boom' in log.metadata['exc_text']


def test_reports_are_kept_and_details_are_not(storage: Any) -> None:
    node = orm.WorkChainNode().store()
    node.logger.info('detail')
    node.logger.report('step %d', 1)
    logging.getLogger(LOGGER_NAME).setLevel(logging.DEBUG)
    node.logger.debug('asked for')
    assert [(log.levelname, log.message) for log in logs(node)] == [('REPORT', 'step 1'), ('DEBUG', 'asked for')]


def test_what_json_cannot_carry_is_kept_as_text(storage: Any) -> None:
    node = orm.CalcJobNode().store()
    node.logger.error('x', extra={'thing': object(), 'number': float('nan')})
    assert logs(node)[0].metadata['thing'].startswith('<object object')
    assert logs(node)[0].metadata['number'] == 'nan'


def test_a_node_that_is_not_stored_keeps_no_records(storage: Any) -> None:
    node = orm.CalcJobNode()
    node.logger.error('too early')
    assert logs(node) == []
    node.store()
    node.logger.error('now')
    assert [log.message for log in logs(node)] == ['now']


def test_a_storage_that_was_closed_is_left_alone(sqlite_storage: Any) -> None:
    node = orm.CalcJobNode().store()
    logger = node.logger
    sqlite_storage.close()
    logger.error('nobody hears')


def test_logs_go_with_their_node(storage: Any) -> None:
    node = orm.CalcJobNode().store()
    node.logger.error('x')
    (log,) = logs(node)
    orm.Node.collection.delete(node.pk)
    assert list(storage.find(LogRow, {'pk': log.pk})) == []


def test_logs_are_made_and_deleted_by_hand(storage: Any) -> None:
    node = orm.CalcJobNode().store()
    late = orm.Log(datetime(2021, 1, 1, tzinfo=UTC), 'logger', 'INFO', node=node, message='late')
    early = orm.Log(datetime(2020, 1, 1, tzinfo=UTC), 'logger', 'INFO', node.pk, 'early', {'a': 1})
    assert late.is_stored
    assert logs(node) == [late, early]
    by_time = [orm.OrderSpecifier('time', orm.ASCENDING)]
    assert orm.Log.collection.get_logs_for(node, order_by=by_time) == [early, late]
    assert orm.Log.collection.get(pk=early.pk).metadata == {'a': 1}
    orm.Log.collection.delete(late.pk)
    assert logs(node) == [early]
    orm.Log.collection.delete_all()
    assert logs(node) == []
    with pytest.raises(ValidationError, match='belongs to a stored node'):
        orm.Log(datetime.now(UTC), 'logger', 'INFO')
    with pytest.raises(ValidationError, match='name of its logger'):
        orm.Log(datetime.now(UTC), '', 'INFO', node=node)
