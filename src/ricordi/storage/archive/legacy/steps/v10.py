"""From 0.9 to 0.10: groups may have extras; what is there stays as it is."""

from ricordi.storage.archive.legacy.records import Step

STEP = Step('0.10')
