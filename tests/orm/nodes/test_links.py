"""Links: the rules of the provenance graph, on stored nodes and on chains that are not stored yet."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from ricordi import orm
from ricordi.errors import ModificationNotAllowed, MultipleObjectsError, NotExistent
from ricordi.model.links import LINK_RULES
from ricordi.orm import LinkType

FAMILIES: dict[str, Any] = {
    'data': orm.Data,
    'process.calculation': orm.CalculationNode,
    'process.workflow': orm.WorkflowNode,
}


def link(source: Any, target: Any, link_type: LinkType, label: str = 'x') -> None:
    target.base.links.add_incoming(source, link_type, label)


@pytest.mark.parametrize('link_type', LinkType)
def test_only_the_right_families_are_joined(sqlite_storage: Any, link_type: LinkType) -> None:
    rule = LINK_RULES[link_type]
    for source_family, source in FAMILIES.items():
        for target_family, target in FAMILIES.items():
            one, two = source(), target()
            if link_type is LinkType.RETURN and (source_family, target_family) == (rule.source, rule.target):
                two.store()
            if (source_family, target_family) == (rule.source, rule.target):
                link(one, two, link_type)
            else:
                with pytest.raises(ValueError, match=f'a link of type {link_type.value} leads from'):
                    link(one, two, link_type)


@pytest.mark.parametrize('label', ['', '_a', 'a_', '1a', 'a b', 'a.b', 'ä', 'a-b'])
def test_labels_are_identifiers(sqlite_storage: Any, label: str) -> None:
    with pytest.raises(ValueError, match='invalid link label'):
        link(orm.Data(), orm.CalculationNode(), LinkType.INPUT_CALC, label)


def test_arguments_of_the_wrong_type_are_told(sqlite_storage: Any) -> None:
    with pytest.raises(TypeError, match='LinkType'):
        link(orm.Data(), orm.CalculationNode(), 'input_calc')  # type: ignore[arg-type]
    with pytest.raises(TypeError, match='two nodes'):
        link('data', orm.CalculationNode(), LinkType.INPUT_CALC)


def test_nodes_of_two_storages_are_not_joined(sqlite_storage: Any, new_storage: Any) -> None:
    with pytest.raises(ValueError, match='different storages'):
        link(orm.Data(backend=new_storage()), orm.CalculationNode(), LinkType.INPUT_CALC)


@pytest.mark.parametrize('stored', [False, True])
class TestDegrees:
    """How many links of a type may go into a node and out of one, stored or not."""

    def test_input_labels_are_unique(self, storage: Any, stored: bool) -> None:
        one, two = orm.Data(), orm.Data()
        if stored:
            orm.store_nodes([one, two])
        for process, link_type in (
            (orm.CalculationNode(), LinkType.INPUT_CALC),
            (orm.WorkflowNode(), LinkType.INPUT_WORK),
        ):
            link(one, process, link_type, 'a')
            link(one, process, link_type, 'b')
            link(two, process, link_type, 'a__b')
            with pytest.raises(ValueError, match=r"incoming input_.* link with label 'a'"):
                link(two, process, link_type, 'a')

    def test_data_is_created_once_and_under_its_own_label(self, storage: Any, stored: bool) -> None:
        maker, other, data = orm.CalculationNode(), orm.CalculationNode(), orm.Data()
        if stored:
            orm.store_nodes([maker, other, data])
        link(maker, data, LinkType.CREATE, 'out')
        with pytest.raises(ValueError, match='already has an incoming create link'):
            link(other, data, LinkType.CREATE, 'elsewhere')
        with pytest.raises(ValueError, match="outgoing create link with label 'out'"):
            link(maker, orm.Data(), LinkType.CREATE, 'out')
        link(maker, orm.Data(), LinkType.CREATE, 'oot')

    def test_data_is_returned_by_many(self, storage: Any, stored: bool) -> None:
        one, two = orm.WorkflowNode(), orm.WorkflowNode()
        data, more = orm.Data().store(), orm.Data().store()
        if stored:
            orm.store_nodes([one, two])
        link(one, data, LinkType.RETURN, 'r')
        link(two, data, LinkType.RETURN, 'r')
        link(one, data, LinkType.RETURN, 'other')
        for target in (data, more):
            with pytest.raises(ValueError, match=r"return link.* with label 'r'"):
                link(one, target, LinkType.RETURN, 'r')

    def test_a_process_has_one_caller(self, storage: Any, stored: bool) -> None:
        caller, other = orm.WorkflowNode(), orm.WorkflowNode()
        if stored:
            orm.store_nodes([caller, other])
        for callee, link_type in (
            (orm.CalculationNode(), LinkType.CALL_CALC),
            (orm.WorkflowNode(), LinkType.CALL_WORK),
        ):
            link(caller, callee, link_type, 'CALL')
            with pytest.raises(ValueError, match='already has an incoming call_'):
                link(other, callee, link_type, 'CALL')


def test_a_node_is_not_linked_to_itself(sqlite_storage: Any) -> None:
    workflow = orm.WorkflowNode()
    with pytest.raises(ValueError, match='itself'):
        link(workflow, workflow, LinkType.CALL_WORK)


def test_links_are_stored_with_their_nodes(storage: Any, count_statements: Any) -> None:
    value = orm.Int(1).store()
    calculation, result = orm.CalculationNode(), orm.Int(2)
    link(value, calculation, LinkType.INPUT_CALC, 'a__b')
    link(calculation, result, LinkType.CREATE, 'sum')
    assert calculation.base.links.get_incoming().all_link_labels() == ['a__b']
    with pytest.raises(ModificationNotAllowed, match='store_all'):
        result.store()
    with count_statements(storage) as counted:
        calculation.store()
    assert len(counted.of('BEGIN')) == 1
    assert len(counted.of('INSERT')) == 2
    result.store()
    loaded = orm.load_node(calculation.pk)
    assert loaded.inputs.a.b == value
    assert loaded.inputs['a']['b'] == loaded.inputs.a__b == loaded.inputs['a__b'] == value
    assert loaded.outputs.sum == result
    assert list(loaded.outputs) == ['sum']
    assert 'sum' in loaded.outputs
    assert 'sum' in dir(loaded.outputs)
    assert orm.load_node(result.pk).creator == calculation
    assert value.creator is None


def test_a_whole_chain_is_stored_in_one_transaction(storage: Any, count_statements: Any) -> None:
    first = previous = orm.Int(0)
    for number in range(1, 5):
        calculation, value = orm.CalcFunctionNode(), orm.Int(number)
        link(previous, calculation, LinkType.INPUT_CALC)
        link(calculation, value, LinkType.CREATE)
        previous = value
    with count_statements(storage) as counted:
        previous.store_all()
    assert len(counted.of('BEGIN')) == len(counted.of('COMMIT')) == 1
    assert first.is_stored
    node, values = orm.load_node(previous.pk), []
    while node.creator:
        values.append(node.value)
        node = node.creator.inputs.x
    assert values == [4, 3, 2, 1]


def test_a_chain_that_cannot_be_stored_is_not_stored_at_all(storage: Any) -> None:
    value, bad, calculation, result = orm.Int(1), orm.Dict({'a': float('nan')}), orm.CalculationNode(), orm.Int(2)
    link(value, calculation, LinkType.INPUT_CALC, 'value')
    link(bad, calculation, LinkType.INPUT_CALC, 'bad')
    link(calculation, result, LinkType.CREATE)
    with pytest.raises(ValueError, match='nan'):
        result.store_all()
    assert not any(node.is_stored for node in (value, bad, calculation, result))
    bad['a'] = 1
    result.store_all()
    assert orm.load_node(calculation.pk).inputs.value == value


def test_a_link_into_a_stored_node_waits_for_its_source(storage: Any) -> None:
    data, workflow = orm.Int(1).store(), orm.WorkflowNode()
    link(workflow, data, LinkType.RETURN, 'r')
    assert data.base.links.get_incoming().one().node is workflow
    assert workflow.base.links.get_outgoing().one().node == data
    pk = data.pk
    del data
    gc.collect()
    workflow.store()
    data = orm.load_node(pk)
    assert data.base.links.get_incoming().one() == (workflow, LinkType.RETURN, 'r')
    assert len(workflow.base.links.get_outgoing()) == 1


def test_two_drafts_cannot_take_one_output_label(storage: Any) -> None:
    calculation = orm.CalculationNode().store()
    one, two = orm.Data(), orm.Data()
    link(calculation, one, LinkType.CREATE, 'out')
    link(calculation, two, LinkType.CREATE, 'out')
    one.store()
    with pytest.raises(ValueError, match="outgoing create link with label 'out'"):
        two.store()
    assert not two.is_stored
    three, four = orm.Data(), orm.Data()
    link(calculation, three, LinkType.CREATE, 'new')
    link(calculation, four, LinkType.CREATE, 'new')
    with pytest.raises(ValueError, match="outgoing create link with label 'new'"):
        orm.store_nodes([three, four])
    assert len(calculation.base.links.get_outgoing()) == 1


def test_a_draft_that_was_thrown_away_holds_no_label(sqlite_storage: Any) -> None:
    calculation, data = orm.CalculationNode(), orm.Data()
    link(calculation, data, LinkType.CREATE, 'out')
    del data
    gc.collect()
    link(calculation, orm.Data(), LinkType.CREATE, 'out')


class TestCycles:
    """Data provenance stays free of cycles."""

    def test_of_stored_nodes(self, storage: Any) -> None:
        data, calculation = orm.Data(), orm.CalculationNode()
        link(data, calculation, LinkType.INPUT_CALC)
        orm.store_nodes([data, calculation])
        with pytest.raises(ValueError, match='cycle'):
            link(calculation, data, LinkType.CREATE)

    def test_of_drafts(self, storage: Any, count_statements: Any) -> None:
        start, calculation, middle, second = orm.Data(), orm.CalculationNode(), orm.Data(), orm.CalculationNode()
        link(start, calculation, LinkType.INPUT_CALC)
        link(calculation, middle, LinkType.CREATE)
        link(middle, second, LinkType.INPUT_CALC)
        with count_statements(storage) as counted, pytest.raises(ValueError, match='cycle'):
            link(second, start, LinkType.CREATE)
        assert counted.statements == []

    def test_of_drafts_around_stored_nodes(self, storage: Any) -> None:
        data, calculation = orm.Data(), orm.CalculationNode()
        link(data, calculation, LinkType.INPUT_CALC)
        orm.store_nodes([data, calculation])
        middle, second = orm.Data(), orm.CalculationNode()
        link(calculation, middle, LinkType.CREATE)
        link(middle, second, LinkType.INPUT_CALC)
        with pytest.raises(ValueError, match='cycle'):
            link(second, orm.load_node(data.pk), LinkType.CREATE)

    def test_a_workflow_may_return_what_it_was_given(self, storage: Any) -> None:
        data, workflow = orm.Data().store(), orm.WorkflowNode()
        link(data, workflow, LinkType.INPUT_WORK)
        link(workflow.store(), data, LinkType.RETURN)


class TestSeals:
    """Sealed processes take part in no new link."""

    def test_no_link_into_or_out_of_a_sealed_process(self, storage: Any) -> None:
        calculation = orm.CalculationNode().store().seal()
        with pytest.raises(ModificationNotAllowed, match='sealed'):
            link(calculation, orm.Data(), LinkType.CREATE)
        with pytest.raises(ModificationNotAllowed, match='sealed'):
            link(orm.Data(), calculation, LinkType.INPUT_CALC)

    def test_inputs_are_linked_before_the_process_is_stored(self, storage: Any) -> None:
        with pytest.raises(ValueError, match='before it is stored'):
            link(orm.Data(), orm.CalculationNode().store(), LinkType.INPUT_CALC)

    def test_a_link_that_waited_too_long_is_refused(self, storage: Any) -> None:
        calculation, result = orm.CalculationNode().store(), orm.Data()
        link(calculation, result, LinkType.CREATE)
        calculation.seal()
        with pytest.raises(ModificationNotAllowed, match='sealed'):
            result.store()

    def test_a_function_creates_new_data_only(self, storage: Any) -> None:
        with pytest.raises(ValueError, match='not created'):
            link(orm.CalcFunctionNode(), orm.Data().store(), LinkType.CREATE)
        link(orm.CalcJobNode(), orm.Data().store(), LinkType.CREATE)

    def test_a_workflow_returns_stored_data_only(self, storage: Any) -> None:
        for workflow in (orm.WorkChainNode(), orm.WorkFunctionNode()):
            with pytest.raises(ValueError, match='not stored'):
                link(workflow, orm.Data(), LinkType.RETURN)


class TestLooking:
    """Links of a node, selected by class, type and label."""

    @pytest.fixture
    def calculation(self, storage: Any) -> Any:
        node = orm.CalcJobNode()
        link(orm.Int(1), node, LinkType.INPUT_CALC, 'i')
        link(orm.Str('s'), node, LinkType.INPUT_CALC, 's_1')
        link(orm.WorkChainNode(), node, LinkType.CALL_CALC, 'CALL')
        node.store_all()
        orm_output = orm.Dict({'energy': -1.5})
        link(node, orm_output, LinkType.CREATE, 'output_parameters')
        orm_output.store()
        return orm.load_node(node.pk)

    def test_links_come_in_the_order_they_were_made(self, calculation: Any) -> None:
        assert calculation.base.links.get_incoming().all_link_labels() == ['i', 's_1', 'CALL']

    def test_they_cost_two_queries(self, calculation: Any, storage: Any, count_statements: Any) -> None:
        with count_statements(storage) as counted:
            assert len(calculation.base.links.get_incoming().all_nodes()) == 3
        assert len(counted.statements) == 2

    def test_they_are_selected(self, calculation: Any) -> None:
        links = calculation.base.links
        assert links.get_incoming(node_class=orm.Int).all_link_labels() == ['i']
        assert links.get_incoming(node_class=(orm.Int, orm.Str)).all_link_labels() == ['i', 's_1']
        assert links.get_incoming(link_type=LinkType.CALL_CALC).all_link_labels() == ['CALL']
        types = (LinkType.CALL_CALC, LinkType.CALL_WORK)
        assert len(links.get_incoming(link_type=types)) == 1
        assert links.get_incoming(link_label_filter='s%').all_link_labels() == ['s_1']
        assert links.get_incoming(link_label_filter=r's\_1').all_link_labels() == ['s_1']
        assert links.get_incoming(link_label_filter='_').all_link_labels() == ['i']
        assert links.get_incoming(orm.Int, only_uuid=True).one().node == links.get_incoming(orm.Int).one().node.uuid
        with pytest.raises(TypeError, match='LinkType'):
            links.get_incoming(link_type='create')

    def test_drafts_are_selected_likewise(self, sqlite_storage: Any) -> None:
        node = orm.CalculationNode()
        link(orm.Int(1), node, LinkType.INPUT_CALC, 'i')
        link(orm.Str('s'), node, LinkType.INPUT_CALC, 's')
        links = node.base.links
        assert links.get_incoming(orm.Int, LinkType.INPUT_CALC, 'i').one().node == 1
        assert not links.get_incoming(orm.Int, LinkType.INPUT_CALC, 's')

    def test_a_manager_gives_one_first_or_all(self, calculation: Any) -> None:
        incoming = calculation.base.links.get_incoming()
        assert incoming.first().link_label == 'i'
        assert incoming.get_node_by_label('i') == 1
        assert incoming.all_link_pairs()[0] == (LinkType.INPUT_CALC, 'i')
        assert [triple.link_label for triple in incoming] == incoming.all_link_labels()
        with pytest.raises(ValueError, match='found 3'):
            incoming.one()
        with pytest.raises(NotExistent, match="label 'none'"):
            incoming.get_node_by_label('none')
        assert orm.LinkManager([]).first() is None
        triple = incoming.first()
        with pytest.raises(MultipleObjectsError):
            orm.LinkManager([triple, triple]).get_node_by_label('i')

    def test_namespaces_are_nested(self, sqlite_storage: Any) -> None:
        node = orm.CalculationNode()
        for label in ('b', 'a__y__z', 'a__x'):
            link(orm.Str(label), node, LinkType.INPUT_CALC, label)
        nested = node.base.links.get_incoming().nested()
        assert list(nested) == ['a', 'b']
        assert nested['a']['y']['z'] == 'a__y__z'
        assert node.inputs.a.x == 'a__x'

    def test_what_is_not_there_is_told_with_what_is(self, calculation: Any) -> None:
        with pytest.raises(AttributeError, match="no input with label 'x'; it has: i, s_1"):
            calculation.inputs.x  # noqa: B018
        with pytest.raises(KeyError, match='output_parameters'):
            calculation.outputs['x']
        assert getattr(calculation.inputs, 'x', None) is None
        assert 'x' not in calculation.inputs

    def test_results_of_a_job_are_at_hand(self, calculation: Any) -> None:
        assert calculation.res.energy == calculation.res['energy'] == -1.5
        assert list(calculation.res) == ['energy']
        with pytest.raises(AttributeError, match="no result 'force'"):
            calculation.res.force  # noqa: B018
        with pytest.raises(KeyError):
            orm.CalcJobNode().store().res['energy']
