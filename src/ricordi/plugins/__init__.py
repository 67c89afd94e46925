"""Classes by the names of their entry points, as in `aiida.plugins`."""

from __future__ import annotations

from ricordi.plugins.factories import DataFactory, GroupFactory

__all__ = ('DataFactory', 'GroupFactory')
