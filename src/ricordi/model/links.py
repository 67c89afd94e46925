"""The rules of links (formats/graph.md): between which nodes each type may lie, how many of it, and in no circle."""

from __future__ import annotations

import enum
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
    def unique(self) -> tuple[tuple[str, ...], ...]:
        """Fields of a link that no two of the type may have in common; one that follows from another is left out."""
        into = {'one': ('output_pk',), 'label': ('output_pk', 'label'), 'pair': ('input_pk', 'output_pk', 'label')}
        found = [into[self.into]] if self.into in into else []
        if self.out == 'label':
            found.append(('input_pk', 'label'))
        return tuple(one for one in found if not any(set(other) < set(one) for other in found))


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
