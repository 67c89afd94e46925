"""The rules of links (formats/graph.md): between which nodes each type may lie, how many of it, and in no circle."""

from __future__ import annotations

import enum
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


class LinkType(enum.Enum):
    """The types of link, by the name the database uses."""

    CREATE = 'create'
    RETURN = 'return'
    INPUT_CALC = 'input_calc'
    INPUT_WORK = 'input_work'
    CALL_CALC = 'call_calc'
    CALL_WORK = 'call_work'


NodeFamily = Literal['data', 'process.calculation', 'process.workflow']
Degree = Literal['any', 'one', 'label', 'pair']


@dataclass(frozen=True, slots=True)
class LinkRule:
    """Between which nodes links of a type may lie, and how many.

    :param out: of one source: `any`, or `label` (no two with one label).
    :param into: one target: `one`, `label`, or `pair` (no two with one source and label).
    """

    source: NodeFamily
    target: NodeFamily
    out: Degree
    into: Degree

    @property
    def unique_out(self) -> tuple[str, ...]:
        """Fields of a link that no two of the type out of one source may have in common; none where any may be."""
        return ('input_pk', 'label') if self.out == 'label' else ()

    @property
    def unique_into(self) -> tuple[str, ...]:
        """The same of those into one target."""
        return _INTO[self.into]

    @property
    def unique(self) -> tuple[tuple[str, ...], ...]:
        """Fields of a link that no two of the type may have in common; one that follows from another is left out."""
        found = [fields for fields in (self.unique_into, self.unique_out) if fields]
        return tuple(one for one in found if not any(set(other) < set(one) for other in found))


_INTO: dict[Degree, tuple[str, ...]] = {
    'any': (),
    'one': ('output_pk',),
    'label': ('output_pk', 'label'),
    'pair': ('input_pk', 'output_pk', 'label'),
}

LINK_RULES: dict[LinkType, LinkRule] = {
    LinkType.INPUT_CALC: LinkRule('data', 'process.calculation', 'any', 'label'),
    LinkType.CREATE: LinkRule('process.calculation', 'data', 'label', 'one'),
    LinkType.INPUT_WORK: LinkRule('data', 'process.workflow', 'any', 'label'),
    LinkType.RETURN: LinkRule('process.workflow', 'data', 'label', 'pair'),
    LinkType.CALL_CALC: LinkRule('process.workflow', 'process.calculation', 'any', 'one'),
    LinkType.CALL_WORK: LinkRule('process.workflow', 'process.workflow', 'any', 'one'),
}
"""The rules of each type; besides them, no link of `ACYCLIC` leads on to another in a circle."""

DATA_PROVENANCE = (LinkType.INPUT_CALC, LinkType.CREATE)
"""What comes from what; a link that closes a circle is refused when it is made."""
LOGICAL_PROVENANCE = (LinkType.INPUT_WORK, LinkType.RETURN)
CALLS = (LinkType.CALL_CALC, LinkType.CALL_WORK)
INPUTS = (LinkType.INPUT_CALC, LinkType.INPUT_WORK)
OUTPUTS = (LinkType.CREATE, LinkType.RETURN)
ACYCLIC = (*DATA_PROVENANCE, *CALLS)
"""Links that lead in no circle, those of data provenance and calls taken together."""


def names_of(link_types: Iterable[LinkType]) -> tuple[str, ...]:
    """The names of types, as the database has them."""
    return tuple(link_type.value for link_type in link_types)


def node_in_circle(number: int, links: Iterable[tuple[int, int]]) -> int | None:
    """A node that is left when, again and again, those are taken away that no link leads to; None if none is.

    :param number: of the nodes, which are called 0, 1, …: arrays stand for sets of them.
    :param links: source and target of each, by source; of types that lead in no circle.
    """
    begins = array('q', bytes(8 * (number + 1)))
    targets = array('i')
    incoming = array('i', bytes(4 * number))
    for source, target in links:
        begins[source + 1] += 1
        targets.append(target)
        incoming[target] += 1
    for place in range(number):
        begins[place + 1] += begins[place]
    free = array('i', (node for node in range(number) if not incoming[node]))
    taken = 0
    while free:
        node = free.pop()
        taken += 1
        for target in targets[begins[node] : begins[node + 1]]:
            incoming[target] -= 1
            if not incoming[target]:
                free.append(target)
    if taken == number:
        return None
    return next(node for node in range(number) if incoming[node])
