"""Passwords on the command line: the process starts itself anew without them, so that nobody reads them from outside.

Who uses a profile is told in its records by the command line of the process, as AiiDA compares it: what stands there is
written to a file that stays if the process is killed. So a password must not stand there in the first place.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress

from ricordi.config.secrets import MASK, hide_in_text
from ricordi.errors import UsageError

SECRETS = ('--database-password', '--secret-access-key')
"""The options of which the value is a secret."""
HANDED_ON = 'ricordi_words'
"""The option of the interpreter (`-X`) that tells the new process where it gets the words: the number of a pipe."""

_LONGEST = 60_000
"""Bytes that a pipe takes at once."""


def hide_words() -> None:
    """Take the words back where this process was started anew; else do that, if one of them holds a password.

    :raises ricordi.errors.UsageError: the words are too long to be handed on.
    """
    handed_on = sys._xoptions.pop(HANDED_ON, None)
    if handed_on is not None:
        with suppress(OSError, ValueError, TypeError), os.fdopen(int(handed_on), 'rb') as pipe:
            words = json.loads(pipe.read())
            if len(words) == len(sys.argv) - 1:
                sys.argv[1:] = map(str, words)
        return
    words, count = sys.argv[1:], len(sys.argv) - 1
    shown = without_passwords(words)
    if shown == words or sys.orig_argv[len(sys.orig_argv) - count :] != words:
        return
    content = json.dumps(words).encode()
    if len(content) > _LONGEST:
        raise UsageError('the command line is too long to hide the password that is in it: give it in a file, --config')
    ours, theirs = os.pipe()
    with os.fdopen(theirs, 'wb') as pipe:
        pipe.write(content)
    os.set_inheritable(ours, True)
    program, *before = sys.orig_argv[: len(sys.orig_argv) - count]
    os.execv(sys.executable, [program, '-X', f'{HANDED_ON}={ours}', *before, *shown])


def without_passwords(words: list[str]) -> list[str]:
    """Words of a command line with stars in place of passwords."""
    shown, masks = [], False
    for word in words:
        if masks:
            shown.append(MASK)
        elif word.startswith(tuple(f'{name}=' for name in SECRETS)):
            shown.append(f'{word.partition("=")[0]}={MASK}')
        else:
            shown.append(hide_in_text(word))
        masks = word in SECRETS and not masks
    return shown
