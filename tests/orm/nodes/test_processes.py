"""Process nodes: what may change until they are sealed, how they ended, whom they called."""

from __future__ import annotations

import enum
import sys
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from ricordi import orm
from ricordi.errors import ModificationNotAllowed, NotExistent
from ricordi.orm import CalcJobState, JobState, LinkType, ProcessState

UPDATABLE = {
    'paused': True,
    'checkpoints': 'bundle',
    'exception': 'boom',
    'exit_message': 'text',
    'exit_status': 1,
    'process_label': 'Label',
    'process_state': 'running',
    'process_status': 'waiting for x',
}


def test_what_may_change_after_storing_changes_by_one_update(storage: Any, count_statements: Any) -> None:
    node = orm.CalcJobNode().store()
    for key, value in UPDATABLE.items():
        with count_statements(storage) as counted:
            node.base.attributes.set(key, value)
        assert len(counted.of('UPDATE')) == 1
    assert orm.load_node(node.pk).base.attributes.all == UPDATABLE


def test_other_attributes_are_frozen_after_storing(storage: Any) -> None:
    node = orm.CalcJobNode()
    node.set_option('resources', {'num_machines': 1})
    node.store()
    for change in (
        lambda: node.set_option('resources', {}),
        lambda: node.base.attributes.delete('resources'),
        lambda: node.base.attributes.reset({}),
        node.base.attributes.clear,
    ):
        with pytest.raises(ModificationNotAllowed):
            change()
    with pytest.raises(
        ModificationNotAllowed, match=r"'resources' cannot be changed; until it is sealed, these can: .*exit_"
    ):
        node.base.attributes.set_many({'exit_status': 0, 'resources': {}})
    assert node.get_options() == {'resources': {'num_machines': 1}}
    assert node.exit_status is None


def test_nothing_changes_once_sealed(storage: Any) -> None:
    node = orm.WorkChainNode().store()
    assert not node.is_sealed
    assert node.seal() is node
    assert node.seal().is_sealed
    assert orm.load_node(node.pk).sealed
    for change in (lambda: node.set_exit_status(1), lambda: node.set_stepper_state_info('1:x'), node.pause):
        with pytest.raises(ModificationNotAllowed, match='sealed'):
            change()
    node.label = 'labels may change'
    node.base.extras.set('extras', 'may, too')


def test_a_seal_that_another_handle_set_is_honoured(storage: Any) -> None:
    node = orm.CalcFunctionNode().store()
    other = orm.load_node(node.pk)
    node.seal()
    with pytest.raises(ModificationNotAllowed, match='is sealed'):
        other.set_exit_status(1)
    assert other.is_sealed
    assert orm.load_node(node.pk).exit_status is None


def test_a_seal_that_another_program_set_is_honoured(storage: Any, elsewhere: Any) -> None:
    node = orm.CalcFunctionNode().store()
    orm.load_node(node.pk, backend=elsewhere).seal()
    with pytest.raises(ModificationNotAllowed, match='sealed meanwhile'):
        node.set_exit_status(1)
    assert node.is_sealed
    assert orm.load_node(node.pk).exit_status is None


def test_two_handles_lose_no_attribute_of_each_other(storage: Any) -> None:
    node = orm.CalcJobNode().store()
    other = orm.load_node(node.pk)
    node.set_job_id(42)
    other.set_process_state('running')
    loaded = orm.load_node(node.pk)
    assert loaded.get_job_id() == '42'
    assert loaded.process_state is ProcessState.RUNNING


@pytest.mark.parametrize(
    ('state', 'status', 'true'),
    [
        ('finished', 0, {'is_finished', 'is_finished_ok', 'is_terminated'}),
        ('finished', 410, {'is_finished', 'is_failed', 'is_terminated'}),
        ('excepted', None, {'is_excepted', 'is_terminated'}),
        ('killed', None, {'is_killed', 'is_terminated'}),
        ('waiting', None, set()),
        (None, None, set()),
    ],
)
def test_the_state_tells_how_it_went(sqlite_storage: Any, state: str, status: int, true: set[str]) -> None:
    node = orm.WorkChainNode()
    node.set_process_state(state)
    if status is not None:
        node.set_exit_status(status)
    properties = {'is_finished', 'is_finished_ok', 'is_failed', 'is_excepted', 'is_killed', 'is_terminated'}
    assert {name for name in properties if getattr(node, name)} == true


def test_the_end_of_a_process(sqlite_storage: Any) -> None:
    class Codes(enum.Enum):
        BAD = 310

    node = orm.CalculationNode()
    assert node.exit_code is None
    node.set_exit_status(Codes.BAD)
    node.set_exit_message(None)
    assert node.exit_message is None
    node.set_exit_message('it was bad')
    assert node.exit_code == (310, 'it was bad', False)
    node.set_exit_status()
    assert node.exit_status == 0
    assert node.exception is None
    node.set_process_state(ProcessState.EXCEPTED)
    assert node.exception == ''
    node.set_exception('boom')
    assert node.exception == 'boom'
    with pytest.raises(ValueError, match='integer'):
        node.set_exit_status('bad')  # type: ignore[arg-type]
    with pytest.raises(ValueError, match='string'):
        node.set_exception(3)  # type: ignore[arg-type]


def test_status_pause_and_checkpoint_come_and_go(sqlite_storage: Any) -> None:
    node = orm.CalculationNode()
    node.set_process_status('busy')
    assert node.process_status == 'busy'
    node.set_process_status(None)
    node.set_process_status(None)
    assert node.process_status is None
    assert not node.paused
    node.pause()
    assert node.paused
    node.unpause()
    node.unpause()
    assert not node.paused
    node.set_checkpoint('bundle')
    assert node.checkpoint == 'bundle'
    node.delete_checkpoint()
    assert node.checkpoint is None
    with pytest.raises(TypeError):
        node.set_process_status(3)  # type: ignore[arg-type]


def test_callers_and_called(storage: Any, count_statements: Any) -> None:
    top = orm.WorkChainNode().store()
    middle, deep, beside = orm.WorkChainNode(), orm.CalcJobNode(), orm.CalcFunctionNode()
    middle.base.links.add_incoming(top, LinkType.CALL_WORK, 'CALL_1')
    middle.store()
    deep.base.links.add_incoming(middle, LinkType.CALL_CALC, 'CALL')
    deep.store()
    beside.base.links.add_incoming(top, LinkType.CALL_CALC, 'CALL_2')
    beside.store()
    assert top.called == [middle, beside]
    assert orm.load_node(deep.pk).caller == middle
    assert top.caller is None
    with count_statements(storage) as counted:
        assert top.called_descendants == [middle, deep, beside]
    assert len(counted.statements) <= 5


def test_a_job_and_its_scheduler(storage: Any) -> None:
    node = orm.CalcJobNode()
    assert node.get_state() is None
    assert node.get_retrieved_node() is None
    node.set_state(CalcJobState.WITHSCHEDULER)
    assert node.get_state() is CalcJobState.WITHSCHEDULER
    assert node.get_description() == 'withscheduler'
    node.delete_state()
    assert node.get_state() is None
    node.set_scheduler_state(JobState.QUEUED_HELD)
    assert node.get_scheduler_state() is JobState.QUEUED_HELD
    assert node.get_scheduler_lastchecktime().tzinfo is not None
    node.base.attributes.set('scheduler_state', 'DONE')
    assert node.get_scheduler_state() is JobState.DONE
    node.set_remote_workdir('/scratch/x')
    node.set_last_job_info({'job_id': '1'})
    node.set_detailed_job_info({'stdout': ''})
    assert node.get_last_job_info() == {'job_id': '1'}
    assert node.get_detailed_job_info() == {'stdout': ''}
    assert node.get_remote_workdir() == '/scratch/x'
    assert not node.is_imported
    for wrong in ('running', None):
        with pytest.raises(ValueError, match='is needed'):
            node.set_state(wrong)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match='is needed'):
            node.set_scheduler_state(wrong)  # type: ignore[arg-type]


def test_retrieve_lists_hold_paths_and_triples(storage: Any) -> None:
    node = orm.CalcJobNode()
    node.set_retrieve_list(['a', ('b', '.', 2), ['c', 'd', None]])
    node.set_retrieve_temporary_list([])
    assert orm.load_node(node.store().pk).get_retrieve_list() == ['a', ['b', '.', 2], ['c', 'd', None]]
    assert node.get_retrieve_temporary_list() == []
    with pytest.raises(ValueError, match='triples'):
        orm.CalcJobNode().set_retrieve_list([('a', 'b')])  # type: ignore[list-item]
    with pytest.raises(TypeError):
        orm.CalcJobNode().set_retrieve_list('a')


def test_what_a_job_wrote_is_read_from_the_retrieved_folder(storage: Any) -> None:
    node = orm.CalcJobNode()
    node.set_options({'scheduler_stdout': 'out', 'scheduler_stderr': 'err'})
    node.store()
    assert node.get_scheduler_stdout() is None
    folder = orm.FolderData()
    folder.put_object_from_bytes(b'hello', 'out')
    folder.base.links.add_incoming(node, LinkType.CREATE, 'retrieved')
    folder.store()
    assert node.get_retrieved_node() == folder
    assert node.get_scheduler_stdout() == 'hello'
    assert node.get_scheduler_stderr() is None


def test_a_job_asks_its_computer_for_the_way(storage: Any) -> None:
    computer = orm.Computer('c', 'h', transport_type='core.ssh', scheduler_type='core.slurm').store()
    node = orm.CalcJobNode(computer=computer)
    with pytest.raises(NotExistent, match='configure'):
        node.get_authinfo()
    authinfo = computer.configure(username='me')
    assert node.get_authinfo() == authinfo
    with pytest.raises(NotExistent, match='no computer'):
        orm.CalcJobNode().get_authinfo()


def test_the_source_of_a_function_is_kept(storage: Any) -> None:
    node = orm.CalcFunctionNode()
    node.store_source_info(test_callers_and_called)
    loaded = orm.load_node(node.store().pk)
    assert loaded.function_name == 'test_callers_and_called'
    assert loaded.function_namespace == __name__
    source = loaded.get_source_code_function()
    assert source.startswith('def test_callers_and_called(')
    assert source.rstrip().endswith('assert len(counted.statements) <= 5')
    assert loaded.get_source_code_file().startswith('"""Process nodes')
    assert orm.WorkFunctionNode().get_source_code_function() is None
    builtin = orm.CalcFunctionNode()
    builtin.store_source_info(len)
    assert builtin.function_name == 'len'
    assert builtin.get_source_code_file() is None


def test_the_class_of_a_process_is_found_where_it_is_installed(sqlite_storage: Any) -> None:
    node = orm.CalcJobNode(process_type='collections.Counter')
    assert node.process_class.__name__ == 'Counter'
    node.set_process_type('aiida.calculations:not.installed')
    with pytest.raises(ValueError, match='no package with entry point'):
        node.process_class  # noqa: B018
    with pytest.raises(ValueError, match='does not tell'):
        orm.CalcJobNode().process_class  # noqa: B018


class Judge:
    """A process class whose exit code 300 says that the result is of no use."""

    @staticmethod
    def is_valid_cache(node: Any) -> bool:
        return bool(node.exit_status != 300)


JUDGE = f'{__name__}.Judge'


@pytest.mark.parametrize(
    ('process_type', 'state', 'status', 'sealed', 'valid'),
    [
        (JUDGE, 'finished', 0, True, True),
        (JUDGE, 'finished', 300, True, False),
        (JUDGE, 'finished', 301, True, True),
        (JUDGE, 'finished', 0, False, False),
        (JUDGE, 'excepted', None, True, False),
        ('collections.Counter', 'finished', 300, True, True),
        ('aiida.calculations:not.installed', 'finished', 0, True, True),
        ('aiida.calculations:not.installed', 'finished', None, True, True),
        ('aiida.calculations:not.installed', 'finished', 301, True, False),
        ('aiida.calculations:not.installed', 'killed', None, True, False),
        ('__main__.gone', 'finished', 0, True, False),
        (None, 'finished', 0, True, False),
    ],
)
def test_a_process_may_be_cached_from_if_it_is_over_and_its_class_does_not_object(
    sqlite_storage: Any, process_type: str | None, state: str, status: int | None, sealed: bool, valid: bool
) -> None:
    node = orm.CalcJobNode(process_type=process_type).store()
    node.set_process_state(state)
    if status is not None:
        node.set_exit_status(status)
    if sealed:
        node.seal()
    assert node.base.caching.is_valid_cache is valid
    node.base.caching.is_valid_cache = False
    assert not node.base.caching.is_valid_cache
    assert not node.base.caching.should_use_cache()


def test_the_tools_of_a_process_come_from_its_plugin(sqlite_storage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Tools:
        def __init__(self, node: Any) -> None:
            self.node = node

    def entry_points(group: str, name: str) -> list[EntryPoint]:
        known = [EntryPoint('plug', f'{__name__}:{place}', group) for place in ('Tools',) if name == 'plug']
        return known if group == 'aiida.tools.calculations' else []

    monkeypatch.setattr(sys.modules[__name__], 'Tools', Tools, raising=False)
    monkeypatch.setattr('importlib.metadata.entry_points', entry_points)
    job = orm.CalcJobNode(process_type='aiida.calculations:plug')
    assert job.tools.node is job
    assert job.tools is job.tools
    for other in (
        orm.CalcJobNode(process_type='aiida.calculations:other'),
        orm.CalcJobNode(),
        orm.WorkChainNode(process_type='aiida.workflows:plug'),
    ):
        assert type(other.tools).__name__ == 'ProcessTools'


def test_dictionaries_are_merged_item_by_item() -> None:
    left = {'a': {'x': 1, 'y': {'z': 2}}, 'b': 1, 'c': {'kept': True}}
    orm.ProcessNode.recursive_merge(left, {'a': {'y': {'w': 3}}, 'b': {'new': 1}, 'd': 4})
    assert left == {'a': {'x': 1, 'y': {'z': 2, 'w': 3}}, 'b': {'new': 1}, 'c': {'kept': True}, 'd': 4}


def test_metadata_inputs_are_kept(storage: Any) -> None:
    node = orm.CalcJobNode()
    assert node.get_metadata_inputs() is None
    node.set_metadata_inputs({'metadata': {'options': {}}})
    assert orm.load_node(node.store().pk).get_metadata_inputs() == {'metadata': {'options': {}}}
