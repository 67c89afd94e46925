"""Data types of materials science that AiiDA brings along: to be found, read and linked; new ones are made with AiiDA.

Their attributes and arrays are all there; the properties below name the most asked for. What AiiDA's classes compute
(symmetries, band gaps, conversions) is not here.
"""

from __future__ import annotations

from typing import Any, NoReturn

from ricordi.errors import NotExistentAttributeError, OnlyRead
from ricordi.orm.data.array import ArrayData
from ricordi.orm.data.data import Data
from ricordi.orm.data.singlefile import SinglefileData


class _ReadOnlyData(Data):
    """What AiiDA makes, for it computes and checks what belongs into such a node."""

    def __init__(self, *args: Any, **kwargs: Any) -> NoReturn:
        """
        :raises ricordi.errors.OnlyRead: always.
        """
        raise OnlyRead(
            f'{type(self).__name__} can only be read here, not made: AiiDA makes it, and checks what belongs in it; '
            'clone() of one that is there gives a copy'
        )


class StructureData(_ReadOnlyData, node_type='data.core.structure.StructureData.'):
    """A crystal or molecule: cell, kinds of atoms, sites."""

    @property
    def cell(self) -> list[list[float]]:
        """The three lattice vectors in Å."""
        return list(self.base.attributes.get('cell'))

    @property
    def pbc(self) -> tuple[bool, bool, bool]:
        """Whether it repeats along each lattice vector."""
        attributes = self.base.attributes
        return attributes.get('pbc1'), attributes.get('pbc2'), attributes.get('pbc3')

    @property
    def kinds(self) -> list[dict[str, Any]]:
        """The kinds of atoms: `name`, `symbols`, `weights`, `mass`."""
        return list(self.base.attributes.get('kinds'))

    @property
    def sites(self) -> list[dict[str, Any]]:
        """The atoms: `kind_name` and `position` in Å."""
        return list(self.base.attributes.get('sites'))


class KpointsData(_ReadOnlyData, ArrayData, node_type='data.core.array.kpoints.KpointsData.'):
    """Points in reciprocal space: a mesh, or a list."""

    def get_kpoints_mesh(self) -> tuple[list[int], list[float]]:
        """Points along each direction, and offset of the mesh.

        :raises AttributeError: this is a list.
        """
        attributes = self.base.attributes
        if 'mesh' not in attributes:
            raise NotExistentAttributeError(f'{self!r} is a list of points, not a mesh: use get_kpoints()')
        return attributes.get('mesh'), attributes.get('offset')

    def get_kpoints(self) -> Any:
        """The points of a list, as an array.

        :raises AttributeError: this is a mesh.
        """
        if 'kpoints' not in self.get_arraynames():
            raise NotExistentAttributeError(f'{self!r} is a mesh, not a list of points: use get_kpoints_mesh()')
        return self.get_array('kpoints')


class BandsData(KpointsData, node_type='data.core.array.bands.BandsData.'):
    """Energies at points in reciprocal space."""

    @property
    def units(self) -> str:
        """The unit of the energies."""
        return str(self.base.attributes.get('units'))

    def get_bands(self) -> Any:
        """The energies, as an array of points × bands."""
        return self.get_array('bands')


class ProjectionData(_ReadOnlyData, ArrayData, node_type='data.core.array.projection.ProjectionData.'):
    """Projections of states on orbitals."""


class TrajectoryData(_ReadOnlyData, ArrayData, node_type='data.core.array.trajectory.TrajectoryData.'):
    """Positions of atoms over steps."""

    @property
    def symbols(self) -> list[str]:
        """The element of each atom."""
        return list(self.base.attributes.get('symbols'))

    def get_positions(self) -> Any:
        """Positions in Å, as an array of steps × atoms × 3."""
        return self.get_array('positions')

    def get_stepids(self) -> Any:
        """The number of each step."""
        return self.get_array('steps')

    def get_times(self) -> Any:
        """The time of each step in ps; None if they are not known."""
        return self.get_array('times') if 'times' in self.get_arraynames() else None


class OrbitalData(_ReadOnlyData, node_type='data.core.orbital.OrbitalData.'):
    """Orbitals."""


class CifData(_ReadOnlyData, SinglefileData, node_type='data.core.cif.CifData.'):
    """A CIF file."""


class UpfData(_ReadOnlyData, SinglefileData, node_type='data.core.upf.UpfData.'):
    """A pseudopotential in the UPF format."""

    @property
    def element(self) -> str | None:
        """Symbol of the element."""
        value: str | None = self.base.attributes.get('element', None)
        return value

    @property
    def md5sum(self) -> str | None:
        """MD5 of the file."""
        value: str | None = self.base.attributes.get('md5', None)
        return value
