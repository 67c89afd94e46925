"""Entry points of calculations that were known when AiiDA 1.0 came out, by which old types of jobs are told."""

from __future__ import annotations

KNOWN = frozenset(
    (
        'arithmetic.add',
        'ase.ase',
        'castep.bs',
        'castep.castep',
        'castep.pot1d',
        'castep.spec',
        'castep.ts',
        'codtools.cifcellcontents',
        'codtools.cifcodcheck',
        'codtools.cifcoddeposit',
        'codtools.cifcodnumbers',
        'codtools.ciffilter',
        'codtools.cifsplitprimitive',
        'core.transfer',
        'cp2k',
        'crystal17.basic',
        'crystal17.immigrant',
        'crystal17.main',
        'ddec',
        'diff',
        'dynaphopy',
        'gollum.gollum',
        'gudhi.rdm',
        'kkr.kkr',
        'kkr.kkrimp',
        'kkr.kkrimporter',
        'kkr.voro',
        'lammps.combinate',
        'lammps.force',
        'lammps.md',
        'lammps.optimize',
        'nwchem.basic',
        'nwchem.pymatgen',
        'phonopy.phono3py',
        'phonopy.phonopy',
        'phtools.dmatrix',
        'phtools.surface',
        'qeq.eqeq',
        'qeq.qeq',
        'quantumespresso.cp',
        'quantumespresso.dos',
        'quantumespresso.hp',
        'quantumespresso.matdyn',
        'quantumespresso.namelists',
        'quantumespresso.neb',
        'quantumespresso.ph',
        'quantumespresso.pp',
        'quantumespresso.projwfc',
        'quantumespresso.pw',
        'quantumespresso.pw2wannier90',
        'quantumespresso.pwimmigrant',
        'quantumespresso.q2r',
        'raspa',
        'siesta.siesta',
        'siesta.stm',
        'templatereplacer',
        'vasp.vasp',
        'vasp.vasp2w90',
        'wannier90.wannier90',
        'yambo.yambo',
        'zeopp.network',
    )
)
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
