"""States of processes, and of jobs in their schedulers, by the names that the database uses."""

from __future__ import annotations

import enum


class ProcessState(enum.Enum):
    """Where a process stands."""

    CREATED = 'created'
    RUNNING = 'running'
    WAITING = 'waiting'
    FINISHED = 'finished'
    EXCEPTED = 'excepted'
    KILLED = 'killed'


class CalcJobState(enum.Enum):
    """What is being done for a calculation job that runs."""

    UPLOADING = 'uploading'
    SUBMITTING = 'submitting'
    WITHSCHEDULER = 'withscheduler'
    STASHING = 'stashing'
    UNSTASHING = 'unstashing'
    RETRIEVING = 'retrieving'
    PARSING = 'parsing'


class JobState(enum.Enum):
    """Where a job stands in its scheduler."""

    UNDETERMINED = 'undetermined'
    QUEUED = 'queued'
    QUEUED_HELD = 'queued held'
    RUNNING = 'running'
    SUSPENDED = 'suspended'
    DONE = 'done'
