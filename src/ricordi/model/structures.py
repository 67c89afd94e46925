"""What a structure says in text: symbols of elements, names of kinds of atoms, chemical formulas."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import reduce
from itertools import groupby
from math import gcd
from typing import Literal

_SYMBOLS = (
    'X H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr '
    'Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt '
    'Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv '
    'Ts Og'
)
ELEMENTS = tuple(_SYMBOLS.split())
"""The symbols of the elements at their atomic numbers; `X` stands for an unknown one."""

FormulaMode = Literal['hill', 'hill_compact', 'reduce', 'count', 'count_compact']
VACANCY = 1e-6
"""If less than this is missing from the weights of a kind, nothing is."""


def kind_in_words(symbols: Sequence[str], weights: Sequence[float]) -> str:
    """A kind of atoms: its symbol, or in braces what it is mixed of, with X for vacancies: `{Fe0.50X0.50}`."""
    if is_pure(symbols, weights):
        return symbols[0]
    parts = [f'{symbol}{weight:.2f}' for symbol, weight in zip(symbols, weights, strict=False)]
    missing = 1 - sum(weights)
    if missing >= VACANCY:
        parts.append(f'X{missing:.2f}')
    return '{' + ''.join(sorted(parts)) + '}'


def is_pure(symbols: Sequence[str], weights: Sequence[float]) -> bool:
    """Whether a kind is one element, whole."""
    return len(symbols) == 1 and weights[0] == 1


def formula(symbols: Sequence[str], mode: FormulaMode = 'hill') -> str:
    """The chemical formula of atoms in the order of their sites; empty where there are none.

    :param mode: `hill`: carbon and hydrogen first where there is carbon, else by the alphabet; `count`: in the order of
        the sites; `reduce`: neighbours that are alike counted together; `…_compact`: divided by what all counts share.
    """
    return ''.join(f'{symbol}{count if count > 1 else ""}' for symbol, count in _COUNTS[mode](symbols))


_Counts = list[tuple[str, int]]


def _hill(symbols: Sequence[str]) -> _Counts:
    first = {'C': '0', 'H': '1'} if 'C' in symbols else {}
    return sorted(Counter(symbols).items(), key=lambda pair: first.get(pair[0], pair[0]))


def _count(symbols: Sequence[str]) -> _Counts:
    return list(Counter(symbols).items())


def _reduce(symbols: Sequence[str]) -> _Counts:
    return [(symbol, len(list(alike))) for symbol, alike in groupby(symbols)]


def _compact(counts: _Counts) -> _Counts:
    shared = reduce(gcd, (count for _, count in counts), 0)
    return [(symbol, count // shared) for symbol, count in counts]


_COUNTS: dict[FormulaMode, Callable[[Sequence[str]], _Counts]] = {
    'hill': _hill,
    'hill_compact': lambda symbols: _compact(_hill(symbols)),
    'reduce': _reduce,
    'count': _count,
    'count_compact': lambda symbols: _compact(_count(symbols)),
}
