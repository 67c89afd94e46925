"""States of calculation jobs, and ways to put files aside."""

from __future__ import annotations

from ricordi.orm.data.stash import StashMode
from ricordi.orm.processes.states import CalcJobState

__all__ = ('CalcJobState', 'StashMode')
