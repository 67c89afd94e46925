"""Which texts name a place on another machine: none of them is taken for a folder of this one."""

from __future__ import annotations

import re

from ricordi.errors import WrongValue

_ELSEWHERE = re.compile(r'[A-Za-z][\w.+-]*:/|[^/]+@[^/:]+:|s3:', re.IGNORECASE)
"""`scheme://…` and what becomes of it where a slash is missing, `host:/path`, `user@host:path`, `s3:bucket`."""


def check_folder_name(text: str) -> None:
    """Make sure that a text names a folder: `S3://bucket/x`, `sftp://host/x` and `host:/x` would be folders `S3:`,
    `sftp:`, `host:` in the current one, and what was meant to lie elsewhere would lie on the same disk.

    :raises ricordi.errors.WrongValue: it reads like a place on another machine; `./host:/x` is a folder all the same.
    """
    if _ELSEWHERE.match(text):
        raise WrongValue(
            f'{text!r} reads like a place on another machine, and is no folder: write s3://BUCKET/FOLDER, in small '
            f'letters, for one in an object store, or ./{text} for a folder of that name'
        )
