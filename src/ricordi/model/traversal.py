"""Which nodes go along when others are deleted or exported: AiiDA's rules (formats/graph.md, *Which nodes go along*).

A rule follows links of one type, from source to target (forward) or from target to source (backward).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ricordi.errors import UsageError


@dataclass(frozen=True, slots=True)
class Rule:
    """Follow links of one type in one direction.

    :param default: whether it is followed when nothing is said.
    :param switchable: whether it may be said otherwise.
    """

    link_type: str
    forward: bool
    default: bool
    switchable: bool = False

    @property
    def name(self) -> str:
        """As in AiiDA's options: `create_forward`."""
        return f'{self.link_type}_{"forward" if self.forward else "backward"}'


def _always(link_type: str, forward: bool) -> Rule:
    return Rule(link_type, forward, default=True)


def _switch(link_type: str, forward: bool, default: bool) -> Rule:
    return Rule(link_type, forward, default, switchable=True)


DELETE_RULES: tuple[Rule, ...] = (
    _always('input_calc', forward=True),
    _switch('create', forward=True, default=True),
    _always('create', forward=False),
    _always('return', forward=False),
    _always('input_work', forward=True),
    _switch('call_calc', forward=True, default=True),
    _always('call_calc', forward=False),
    _switch('call_work', forward=True, default=True),
    _always('call_work', forward=False),
)
"""What must go when a node is deleted, so that no result is left without its origin."""

EXPORT_RULES: tuple[Rule, ...] = (
    _switch('input_calc', forward=True, default=False),
    _always('input_calc', forward=False),
    _always('create', forward=True),
    _switch('create', forward=False, default=True),
    _always('return', forward=True),
    _switch('return', forward=False, default=False),
    _switch('input_work', forward=True, default=False),
    _always('input_work', forward=False),
    _always('call_calc', forward=True),
    _switch('call_calc', forward=False, default=True),
    _always('call_work', forward=True),
    _switch('call_work', forward=False, default=True),
)
"""What is exported with a node, so that an archive tells where everything in it comes from."""


def choose_rules(rules: Iterable[Rule], switches: Mapping[str, bool | None] | None = None) -> tuple[Rule, ...]:
    """The rules to follow: those of a set that are on by default or switched on.

    :param switches: name of a rule → on or off; None: as by default.
    :raises ricordi.errors.UsageError: there is no such rule in the set, or it cannot be switched.
    """
    rules = tuple(rules)
    wanted = {name: value for name, value in (switches or {}).items() if value is not None}
    switchable = {rule.name for rule in rules if rule.switchable}
    for name in wanted:
        if name not in switchable:
            raise UsageError(
                f'the traversal rule {name!r} cannot be switched; these can: {", ".join(sorted(switchable))}'
            )
    return tuple(rule for rule in rules if wanted.get(rule.name, rule.default))
