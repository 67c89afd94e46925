"""Which nodes go along: the rule sets of AiiDA, followed to the end."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from ricordi.errors import NotExistent, UsageError
from ricordi.model.traversal import DELETE_RULES, EXPORT_RULES, Rule, choose_rules
from ricordi.services.traversal import traverse

DATA, CALCULATION, WORKFLOW = (
    'data.core.int.Int.',
    'process.calculation.calcjob.CalcJobNode.',
    'process.workflow.workchain.WorkChainNode.',
)


@pytest.fixture
def chain(storage: Any, fill: Callable[[Any], Any]) -> dict[str, int]:
    """A workflow that calls a calculation: data → calculation → result, which the workflow returns."""
    names = {'data': DATA, 'work': WORKFLOW, 'calc': CALCULATION, 'result': DATA, 'later': CALCULATION, 'last': DATA}
    pk = dict(zip(names, fill(storage).nodes(*names.values()), strict=True))
    fill(storage).links(
        [
            (pk['data'], pk['work'], 'input_work'),
            (pk['data'], pk['calc'], 'input_calc'),
            (pk['work'], pk['calc'], 'call_calc'),
            (pk['calc'], pk['result'], 'create'),
            (pk['work'], pk['result'], 'return'),
            (pk['result'], pk['later'], 'input_calc'),
            (pk['later'], pk['last'], 'create'),
        ]
    )
    return pk


def names_of(chain: dict[str, int], pks: Iterable[int]) -> set[str]:
    return {name for name, pk in chain.items() if pk in set(pks)}


def test_what_was_made_from_a_deleted_node_goes_with_it(storage: Any, chain: dict[str, int]) -> None:
    found = traverse(storage, [chain['data']], choose_rules(DELETE_RULES))
    assert names_of(chain, found.nodes) == set(chain)
    assert found.start == {chain['data']}


def test_inputs_of_a_deleted_calculation_stay(storage: Any, chain: dict[str, int]) -> None:
    found = traverse(storage, [chain['later']], choose_rules(DELETE_RULES))
    assert names_of(chain, found.nodes) == {'later', 'last'}


def test_a_result_takes_the_calculation_and_its_callers_with_it(storage: Any, chain: dict[str, int]) -> None:
    found = traverse(storage, [chain['result']], choose_rules(DELETE_RULES))
    assert names_of(chain, found.nodes) == {'result', 'calc', 'work', 'later', 'last'}


def test_results_can_be_kept_when_their_calculation_goes(storage: Any, chain: dict[str, int]) -> None:
    rules = choose_rules(DELETE_RULES, {'create_forward': False, 'call_calc_forward': None})
    found = traverse(storage, [chain['calc']], rules)
    assert names_of(chain, found.nodes) == {'calc', 'work'}


def test_each_node_is_counted_for_the_rule_that_reached_it_first(storage: Any, chain: dict[str, int]) -> None:
    found = traverse(storage, [chain['later']], choose_rules(DELETE_RULES))
    assert {rule.name: count for rule, count in found.by_rule.items()} == {'create_forward': 1}
    found = traverse(storage, [chain['data']], choose_rules(DELETE_RULES))
    assert len(found.start) + sum(found.by_rule.values()) == len(found.nodes)


def test_an_export_holds_all_that_led_to_a_node(storage: Any, chain: dict[str, int]) -> None:
    found = traverse(storage, [chain['result']], choose_rules(EXPORT_RULES))
    assert names_of(chain, found.nodes) == {'data', 'work', 'calc', 'result'}
    found = traverse(storage, [chain['result']], choose_rules(EXPORT_RULES, {'create_backward': False}))
    assert names_of(chain, found.nodes) == {'result'}
    found = traverse(storage, [chain['data']], choose_rules(EXPORT_RULES, {'input_calc_forward': True}))
    assert names_of(chain, found.nodes) == set(chain)


@pytest.mark.parametrize('rule_set', [DELETE_RULES, EXPORT_RULES], ids=['delete', 'export'])
def test_any_graph_is_followed_to_its_end(storage: Any, fill: Callable[[Any], Any], rule_set: tuple[Rule, ...]) -> None:
    choose = random.Random(7)
    pks = fill(storage).nodes(*[DATA] * 60)
    types = sorted({rule.link_type for rule in rule_set})
    links = {(*choose.sample(pks, 2), choose.choice(types)) for _ in range(70)}
    fill(storage).links(sorted(links))
    for _ in range(20):
        start = set(choose.sample(pks, 2))
        switches = {rule.name: choose.random() < 0.5 for rule in rule_set if rule.switchable}
        rules = choose_rules(rule_set, switches)
        assert traverse(storage, start, rules).nodes == closure(start, links, rules)


def closure(start: set[int], links: set[tuple[int, int, str]], rules: Iterable[Rule]) -> set[int]:
    """What a walk reaches, found one link after the other."""
    followed = {(rule.link_type, rule.forward) for rule in rules}
    found = set(start)
    while True:
        new = {target for source, target, kind in links if source in found and (kind, True) in followed}
        new |= {source for source, target, kind in links if target in found and (kind, False) in followed}
        if new <= found:
            return found
        found |= new


def test_a_rule_that_the_graph_needs_cannot_be_switched() -> None:
    with pytest.raises(UsageError, match='call_calc_forward, call_work_forward, create_forward'):
        choose_rules(DELETE_RULES, {'input_calc_forward': False})


def test_a_node_that_is_not_there_is_named(storage: Any, chain: dict[str, int]) -> None:
    with pytest.raises(NotExistent, match='no node with pk 999'):
        traverse(storage, [chain['data'], 999], choose_rules(DELETE_RULES))
