"""From 0.1 to 0.2: only the names of modules before those of entities are others, which the reader passes over."""

from ricordi.storage.archive.legacy.records import Step

STEP = Step('0.2')
