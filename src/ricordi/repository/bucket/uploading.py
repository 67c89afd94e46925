"""Uploading in parts what comes in pieces.

The pieces are made by the thread of the caller: what makes them may ask a bucket too, which the client does not bear in
the middle of an upload.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Full, Queue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from obstore.store import ObjectStore as Client

PIECES_AHEAD = 4
LOOK_SECONDS = 0.5


class Abandoned(Exception):
    """Tells the client to take back the parts: what was to be uploaded could not be had."""


def upload_in_parts(
    client: Client, path: str, pieces: Iterable[bytes], part_bytes: int, parts_at_once: int
) -> str | None:
    """Upload it whole or not at all; the tag that the store gives it. What the pieces raise is raised as it is."""
    import obstore

    waiting: Queue[bytes | Abandoned | None] = Queue(PIECES_AHEAD)
    with ThreadPoolExecutor(1, thread_name_prefix='upload') as executor:
        task = executor.submit(
            obstore.put,
            client,
            path,
            _taken_from(waiting),
            use_multipart=True,
            chunk_size=part_bytes,
            max_concurrency=parts_at_once,
        )
        try:
            for piece in pieces:
                _hand_over(waiting, piece, task)
        except BaseException:
            _hand_over(waiting, Abandoned(), task)
            raise
        _hand_over(waiting, None, task)
        return task.result()['e_tag']


def _taken_from(waiting: Queue[bytes | Abandoned | None]) -> Iterator[bytes]:
    while (piece := waiting.get()) is not None:
        if isinstance(piece, Abandoned):
            raise piece
        yield piece


def _hand_over(waiting: Queue[bytes | Abandoned | None], piece: bytes | Abandoned | None, task: Future[Any]) -> None:
    """Wait until there is room, or until nobody takes any more: then the upload has failed."""
    while not task.done():
        try:
            waiting.put(piece, timeout=LOOK_SECONDS)
        except Full:
            continue
        return
    if not isinstance(piece, Abandoned):
        task.result()
