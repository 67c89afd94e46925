"""From 0.11 to 0.12: what AiiDA itself brings is called `core.…`: types of data, processes, schedulers.

The attribute `parser_name` of jobs stays as it is: AiiDA's own step looks for it where it never is, and an archive
shall not become two different ones.
"""

from __future__ import annotations

from ricordi.storage.archive.legacy.records import Fields, NodeRecord, Step, replace

DATA = (
    'array.ArrayData.',
    'array.bands.BandsData.',
    'array.kpoints.KpointsData.',
    'array.projection.ProjectionData.',
    'array.trajectory.TrajectoryData.',
    'array.xy.XyData.',
    'base.BaseData.',
    'bool.Bool.',
    'cif.CifData.',
    'code.Code.',
    'dict.Dict.',
    'float.Float.',
    'folder.FolderData.',
    'int.Int.',
    'list.List.',
    'numeric.NumericData.',
    'orbital.OrbitalData.',
    'remote.RemoteData.',
    'remote.stash.RemoteStashData.',
    'remote.stash.folder.RemoteStashFolderData.',
    'singlefile.SinglefileData.',
    'str.Str.',
    'structure.StructureData.',
    'upf.UpfData.',
)
DATA_TYPES = {f'data.{name}': f'data.core.{name}' for name in DATA}
PROCESS_TYPES = {
    f'aiida.{kind}:{name}': f'aiida.{kind}:core.{name}'
    for kind, names in {
        'calculations': ('arithmetic.add', 'templatereplacer'),
        'workflows': ('arithmetic.add_multiply', 'arithmetic.multiply_add'),
    }.items()
    for name in names
}
SCHEDULERS = {name: f'core.{name}' for name in ('direct', 'lsf', 'pbspro', 'sge', 'slurm', 'torque')}


def _node(record: NodeRecord) -> None:
    replace(record.fields, 'node_type', DATA_TYPES)
    replace(record.fields, 'process_type', PROCESS_TYPES)


def _computer(fields: Fields) -> None:
    replace(fields, 'scheduler_type', SCHEDULERS)


STEP = Step('0.12', node=_node, computer=_computer)
