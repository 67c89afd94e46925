"""Entry points of calculations that were known when AiiDA 1.0 came out, by which old types of jobs are told."""

from __future__ import annotations

_PACKAGES = {
    'arithmetic': 'add',
    'ase': 'ase',
    'castep': 'bs castep pot1d spec ts',
    'codtools': 'cifcellcontents cifcodcheck cifcoddeposit cifcodnumbers ciffilter cifsplitprimitive',
    'core': 'transfer',
    'crystal17': 'basic immigrant main',
    'gollum': 'gollum',
    'gudhi': 'rdm',
    'kkr': 'kkr kkrimp kkrimporter voro',
    'lammps': 'combinate force md optimize',
    'nwchem': 'basic pymatgen',
    'phonopy': 'phono3py phonopy',
    'phtools': 'dmatrix surface',
    'qeq': 'eqeq qeq',
    'quantumespresso': 'cp dos hp matdyn namelists neb ph pp projwfc pw pw2wannier90 pwimmigrant q2r',
    'siesta': 'siesta stm',
    'vasp': 'vasp vasp2w90',
    'wannier90': 'wannier90',
    'yambo': 'yambo',
    'zeopp': 'network',
}
_ALONE = ('cp2k', 'ddec', 'diff', 'dynaphopy', 'raspa', 'templatereplacer')
KNOWN = frozenset((*_ALONE, *(f'{package}.{name}' for package, names in _PACKAGES.items() for name in names.split())))
"""Those of AiiDA itself and of the packages that were in its registry."""
GROUP = 'aiida.calculations'


def process_type_of(name: str) -> str:
    """What kind of process a job of AiiDA 0 was.

    :param name: its type, without `calculation.job.` before it: module, class and a point.
    :returns: an entry point; where none is known, module and class; empty where there is no module.
    """
    *modules, plugin = [part for part in name.split('.') if part] or ['']
    module = '.'.join(modules)
    if module in KNOWN:
        return f'{GROUP}:{module}'
    return f'{module}.{plugin}' if module else ''
