"""Sizes, numbers and times by which the repository divides its work: one record, handed in where less is wanted.

A test that wants work cut into many pieces makes a container with a smaller record, and so cuts what it means to cut; a
constant that is patched may be one that nobody reads any more.
"""

from __future__ import annotations

from typing import NamedTuple


class Limits(NamedTuple):
    """How much at once, and how long. Bytes, numbers of objects, seconds.

    :param busy_seconds: how long to wait for another program that keeps the index locked.
    :param bulk_keys: objects that are sorted by their place before they are opened.
    :param compare_at_once: names that are compared with what is there, range by range.
    :param settled_seconds: for how long nobody has written to the index, where the time of the last write tells that it
        is as it was.
    :param large_bytes: larger objects are streamed; this is what is held in memory of several at a time.
    :param window_bytes: neighbouring objects of a pack are read together up to this size.
    :param group_objects: loose objects that a thread reads for the packer.
    :param put_objects: objects that are looked up and appended at once when they go straight into a pack.
    :param flush_bytes: appended to a pack in one write.
    :param early_sync_bytes: after which an fsync is begun beside the work.
    :param commit_bytes: appended to packs before their rows are committed.
    :param commit_objects: the same in number.
    :param first_commits: so many times as much is committed at once into a container that was empty, and that nobody
        reads yet.
    :param batch_objects: objects of an archive that are taken together.
    :param many_files: so many are removed by threads, before it is worth a process.
    :param ask_at_once: files that this process is asked to remove: it ends with us, but for the portion in hand.
    :param share_bytes: of objects, which are worth a process of their own to check them.
    :param head_start_bytes: what is checked here while another process starts: our own share is the larger by it.
    :param cell_bytes: of a pack that a verification remembers as read, or not, by itself.
    :param question_objects: that one of the processes that verify is asked about at once.
    :param note_seconds: after which a verification writes down what it has read until then.
    :param leftover_seconds: a half-written file that is younger may be one that is being written.
    :param few_questions: a pool of processes leaves so many to its caller: for a few it would take longer to start.
    :param stopped_seconds: how long a process may be stopped (SIGSTOP, a debugger) before its work is done without it.
    :param trial_bytes: the largest object that lies in a pack as it is and is looked for by trying every length.
    :param vain_trial_bytes: after so many bytes that were tried for nothing no more lengths are tried.
    :param repair_objects: objects that a repair mends before it commits their rows.
    :param moved_back: objects of a pack that a repack can move back where the pack must stay: so many are remembered.
    :param processors: how many there are to be used; None: those that this process may use.
    """

    busy_seconds: float = 60.0
    bulk_keys: int = 20_000
    compare_at_once: int = 20_000
    settled_seconds: float = 2.0
    large_bytes: int = 4 << 20
    window_bytes: int = 1 << 20
    group_objects: int = 256
    put_objects: int = 500
    flush_bytes: int = 2 << 20
    early_sync_bytes: int = 32 << 20
    commit_bytes: int = 64 << 20
    commit_objects: int = 10_000
    first_commits: int = 4
    batch_objects: int = 256
    many_files: int = 8000
    ask_at_once: int = 128
    share_bytes: int = 128 << 20
    head_start_bytes: int = 48 << 20
    cell_bytes: int = 64 << 20
    question_objects: int = 4000
    note_seconds: float = 30.0
    leftover_seconds: float = 3600.0
    few_questions: int = 16
    stopped_seconds: float = 1.5
    trial_bytes: int = 8 << 20
    vain_trial_bytes: int = 64 << 20
    repair_objects: int = 50_000
    moved_back: int = 100_000
    processors: int | None = None

    @property
    def of_first_filling(self) -> Limits:
        """The same, but for how much is committed at once into a container that was empty."""
        return self._replace(
            commit_bytes=self.first_commits * self.commit_bytes, commit_objects=self.first_commits * self.commit_objects
        )


USUAL = Limits()
