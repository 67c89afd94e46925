"""Structures and trajectories as text: formulas, and the files that other programs read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ricordi.backend.rows import NodeRow
from ricordi.backend.storage import StorageBackend
from ricordi.errors import CorruptStorage, InvalidOperation
from ricordi.model.structures import ELEMENTS, FormulaMode, formula, is_pure, kind_in_words
from ricordi.services.contents.data import array_names, array_of

UNKNOWN = '<<UNKNOWN>>'
"""The formula of a structure in which an atom is of a kind that it does not have: as verdi writes it."""
Vector = Sequence[float]
_ODD = (KeyError, IndexError, TypeError, ValueError, AttributeError)
"""What is raised where the attributes of a node are not of the shape that AiiDA gives them."""


@contextmanager
def _well_made(row: NodeRow) -> Iterator[None]:
    """Tell what is not of the shape that AiiDA gives it, whoever wrote it."""
    try:
        yield
    except _ODD as error:
        raise CorruptStorage(
            f'node {row.pk} is not as AiiDA makes structures and trajectories: {type(error).__name__} {error}'
        ) from error


def formula_of(kinds: Sequence[Mapping[str, Any]], sites: Sequence[Mapping[str, Any]], mode: FormulaMode) -> str:
    """The formula of a structure, given its attributes `kinds` and `sites`."""
    try:
        names = {kind['name']: kind_in_words(kind['symbols'], kind['weights']) for kind in kinds}
        return formula([names[site['kind_name']] for site in sites], mode)
    except _ODD:
        return UNKNOWN


def has_any(kinds: Sequence[Mapping[str, Any]], elements: Collection[str]) -> bool:
    """Whether the first symbol of one of the kinds of atoms is among elements."""
    try:
        return any(kind['symbols'][0] in elements for kind in kinds)
    except _ODD:
        return False


def describe_structure(row: NodeRow) -> dict[str, Any]:
    """What a structure is, with stable keys."""
    found = row.attributes
    with _well_made(row):
        return _described(row, found)


def _described(row: NodeRow, found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        'pk': row.pk,
        'uuid': row.uuid,
        'label': row.label,
        'formula': formula_of(found['kinds'], found['sites'], 'hill'),
        'cell': found['cell'],
        'pbc': [found['pbc1'], found['pbc2'], found['pbc3']],
        'kinds': found['kinds'],
        'sites': found['sites'],
    }


def as_xyz(row: NodeRow) -> str:
    """A structure in the extended XYZ format: lengths in Å.

    :raises ricordi.errors.InvalidOperation: a kind of atoms is a mixture, or has vacancies.
    """
    found = row.attributes
    with _well_made(row):
        cell = ' '.join(str(number) for vector in found['cell'] for number in vector)
        periodic = ' '.join(str(bool(found[name])) for name in ('pbc1', 'pbc2', 'pbc3'))
        lines = [str(len(found['sites'])), f'Lattice="{cell}" pbc="{periodic}"']
        lines += [f'{symbol:6} {_numbers(position)}' for symbol, position in _atoms(row)]
    return '\n'.join(lines)


def as_xsf(row: NodeRow) -> str:
    """A structure in the format of XCrySDen: lengths in Å; errors as of `as_xyz`."""
    with _well_made(row):
        atoms = list(_atoms(row))
        lines = ['CRYSTAL', 'PRIMVEC 1', *map(_numbers, row.attributes['cell']), 'PRIMCOORD 1', f'{len(atoms)} 1']
        lines += [f'{_number_of(symbol)} {_numbers(position)}' for symbol, position in atoms]
    return '\n'.join(lines) + '\n'


def trajectory_as_xsf(storage: StorageBackend, row: NodeRow, step: int | None = None) -> Iterator[str]:
    """A trajectory in the format of XCrySDen, some lines at a time: lengths in Å.

    :param step: only this one, counted from 0; None: all.
    :raises ricordi.errors.InvalidOperation: it holds no cells, or there is no such step.
    """
    if 'cells' not in array_names(row):
        raise InvalidOperation(f'trajectory {row.pk} holds no cells, which this format needs')
    cells, positions = array_of(storage, row, 'cells'), array_of(storage, row, 'positions')
    with _well_made(row):
        numbers = [_number_of(symbol) for symbol in row.attributes['symbols']]
    if step is not None and not 0 <= step < len(positions):
        raise InvalidOperation(f'trajectory {row.pk} has no step {step}: it has {len(positions)}, counted from 0')
    steps = range(len(positions)) if step is None else (step,)
    yield f'ANIMSTEPS {len(steps)}\nCRYSTAL\n'
    for at in steps:
        with _well_made(row):
            lines = [f'PRIMVEC {at + 1}', *(_numbers(vector, 5) for vector in cells[at])]
            lines += [f'PRIMCOORD {at + 1}', f'{len(numbers)} 1']
            lines += [f'{number} {_numbers(position)}' for number, position in zip(numbers, positions[at], strict=True)]
        yield '\n'.join(lines) + '\n'


def _atoms(row: NodeRow) -> Iterator[tuple[str, Vector]]:
    """Symbol and position of each atom."""
    kinds = {kind['name']: kind for kind in row.attributes['kinds']}
    for kind in kinds.values():
        if not is_pure(kind['symbols'], kind['weights']):
            raise InvalidOperation(
                f'structure {row.pk} has a kind of atoms {kind["name"]!r} that is a mixture or has vacancies, which '
                'this format cannot say'
            )
    for site in row.attributes['sites']:
        yield kinds[site['kind_name']]['symbols'][0], site['position']


def _numbers(vector: Vector, digits: int = 10) -> str:
    return ' '.join(f'{number:18.{digits}f}' for number in vector)


def _number_of(symbol: str) -> int:
    return ELEMENTS.index(symbol)
