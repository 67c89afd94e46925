"""The table of link types: what follows from it, for whoever makes links and for whoever takes them in."""

from __future__ import annotations

import pytest

from ricordi.model.links import ACYCLIC, CALLS, DATA_PROVENANCE, INPUTS, LINK_RULES, OUTPUTS, LinkType, names_of
from ricordi.model.traversal import DELETE_RULES, EXPORT_RULES


@pytest.mark.parametrize(
    ('link_type', 'unique'),
    [
        (LinkType.INPUT_CALC, [('output_pk', 'label')]),
        (LinkType.INPUT_WORK, [('output_pk', 'label')]),
        (LinkType.CREATE, [('output_pk',), ('input_pk', 'label')]),
        (LinkType.RETURN, [('input_pk', 'label')]),
        (LinkType.CALL_CALC, [('output_pk',)]),
        (LinkType.CALL_WORK, [('output_pk',)]),
    ],
)
def test_what_two_links_of_a_type_cannot_share_follows_from_how_many_there_may_be(
    link_type: LinkType, unique: list[tuple[str, ...]]
) -> None:
    assert list(LINK_RULES[link_type].unique) == unique


def test_every_type_has_a_rule_and_a_place_in_the_graph() -> None:
    assert set(LINK_RULES) == set(LinkType) == {*INPUTS, *OUTPUTS, *CALLS}
    assert names_of(DATA_PROVENANCE) == ('input_calc', 'create')
    assert set(ACYCLIC) == {*DATA_PROVENANCE, *CALLS}
    ends = {(rule.source, rule.target) for rule in LINK_RULES.values()}
    assert ('data', 'data') not in ends
    assert all(LINK_RULES[one].source == 'data' for one in INPUTS)
    assert all(LINK_RULES[one].target == 'data' for one in OUTPUTS)


@pytest.mark.parametrize('rules', [DELETE_RULES, EXPORT_RULES])
def test_traversal_rules_are_about_links_that_there_are(rules: tuple) -> None:
    assert {rule.link_type for rule in rules} <= set(names_of(LinkType))
    assert len({rule.name for rule in rules}) == len(rules)
