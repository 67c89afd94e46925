"""What a person can do about an error, as data: the command line says which of its verbs and options does it."""

from typing import Literal, NamedTuple

Deed = Literal[
    'adopt storage',
    'back up',
    'choose snapshot',
    'choose another folder',
    'choose another folder or overwrite',
    'choose another format',
    'choose codes or computers',
    'choose days or dates',
    'choose groups to dump',
    'choose other dates',
    'choose what to dump',
    'clear access records',
    'configure computer',
    'configure user',
    'count objects',
    'do without login shell',
    'duplicate computer',
    'enable computer',
    'keep data',
    'leave out everything',
    'list files',
    'list indexes',
    'list group paths',
    'list options',
    'list problems',
    'make backup',
    'maintain in full',
    'find damage',
    'mend backup',
    'mend objects',
    'make bucket',
    'make first profile',
    'make profile',
    'migrate archive',
    'migrate storage',
    'name profile',
    'overwrite',
    'repack all',
    'repair storage',
    'set default user',
    'show computer',
    'trust rows',
    'verify',
    'wait',
]
"""By what it does; the words for it, which name verbs and options, are in `cli/remedies.py`."""


class Remedy(NamedTuple):
    """What to do about an error.

    :param subject: to what it is to be done, such as the label of a computer.
    """

    deed: Deed
    subject: tuple[str, ...] = ()
