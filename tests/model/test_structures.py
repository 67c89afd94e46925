"""Chemical formulas."""

import pytest

from ricordi.model.structures import ELEMENTS, formula, kind_in_words

PEROVSKITE = ['Ba', 'Ti', 'O', 'O', 'O', 'Ba', 'Ti', 'O', 'O', 'O']


@pytest.mark.parametrize(
    ('symbols', 'mode', 'expected'),
    [
        (['C', 'H', 'H', 'H', 'O', 'C', 'H', 'H', 'H'], 'hill', 'C2H6O'),
        (['S', 'O', 'O', 'H', 'O', 'H', 'O'], 'hill', 'H2O4S'),
        (PEROVSKITE, 'hill', 'Ba2O6Ti2'),
        (PEROVSKITE, 'hill_compact', 'BaO3Ti'),
        (PEROVSKITE, 'reduce', 'BaTiO3BaTiO3'),
        (PEROVSKITE, 'count', 'Ba2Ti2O6'),
        (PEROVSKITE, 'count_compact', 'BaTiO3'),
        ([], 'hill_compact', ''),
    ],
)
def test_formulas(symbols: list[str], mode: str, expected: str) -> None:
    assert formula(symbols, mode) == expected  # type: ignore[arg-type]


def test_a_mixture_names_its_parts_and_its_vacancies() -> None:
    assert kind_in_words(['Si'], [1.0]) == 'Si'
    assert kind_in_words(['Fe', 'Co'], [0.5, 0.5]) == '{Co0.50Fe0.50}'
    assert kind_in_words(['Fe', 'Co'], [0.5, 0.25]) == '{Co0.25Fe0.50X0.25}'


def test_elements_stand_at_their_atomic_numbers() -> None:
    assert [ELEMENTS.index(symbol) for symbol in ('X', 'H', 'C', 'Fe', 'Ba', 'Pb', 'Og')] == [0, 1, 6, 26, 56, 82, 118]
