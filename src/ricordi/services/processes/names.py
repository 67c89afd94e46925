"""The states of processes, and what is shown of them, by verdi's names. Loads nothing, for the help of verbs."""

from __future__ import annotations

from ricordi.model.node_types import ACTIVE_STATES, FINAL_STATES

STATES = (*ACTIVE_STATES, *FINAL_STATES)

STATE = 'state'
"""The projection that tells where a process stands, by three of its attributes."""
CACHED = 'cached'
"""The projection that tells whether a process was not run, but taken from the cache."""

PROJECTIONS = (
    *('pk', 'uuid', 'ctime', 'mtime', STATE, 'process_state', 'process_status', 'exit_status', 'exit_message'),
    *('sealed', 'process_label', 'label', 'description', 'node_type', 'paused', 'process_type', 'job_state'),
    *('scheduler_state', 'exception', CACHED, 'cached_from'),
)
"""What can be shown of a process."""
