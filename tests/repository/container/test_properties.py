"""A container under any sequence of operations holds what a dictionary would, whatever form the objects have."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tempfile
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ricordi.backend.maintenance import MaintenanceOptions
from ricordi.errors import CorruptStorage, NotExistent
from ricordi.repository.container.compression import InflatedStream, compress, decompress, decompressed_chunks
from ricordi.repository.container.container import Container

contents = st.one_of(
    st.binary(max_size=300),
    st.builds(lambda piece, times: piece * times, st.binary(min_size=1, max_size=8), st.integers(1, 400)),
)
compress_modes = st.sampled_from(['keep', 'yes', 'no', 'auto'])


class ContainerMachine(RuleBasedStateMachine):
    """Adds, packs, repacks, deletes and reads, and keeps a dictionary beside the container."""

    def __init__(self) -> None:
        super().__init__()
        memory = Path('/dev/shm')
        self.folder = Path(tempfile.mkdtemp(prefix='ricordi-', dir=memory if os.access(memory, os.W_OK) else None))
        self.model: dict[str, bytes] = {}
        self.unnamed: set[str] = set()

    @initialize(size_target=st.sampled_from([200, 2000, 1 << 30]), prefix=st.integers(0, 2))
    def create(self, size_target: int, prefix: int) -> None:
        self.container = Container(self.folder / 'container')
        self.container.initialise(pack_size_target=size_target, loose_prefix_len=prefix)

    def note(self, keys: list[str], added: list[bytes]) -> None:
        assert keys == [hashlib.sha256(content).hexdigest() for content in added]
        self.model.update(zip(keys, added, strict=True))
        self.unnamed -= set(keys)

    @rule(content=contents)
    def add(self, content: bytes) -> None:
        self.note([self.container.put_object_from_bytes(content)], [content])

    @rule(content=contents)
    def add_stream(self, content: bytes) -> None:
        self.note([self.container.put_object_from_filelike(io.BytesIO(content))], [content])

    @rule(added=st.lists(contents, max_size=6), mode=compress_modes)
    def add_many(self, added: list[bytes], mode: str) -> None:
        self.note(self.container.put_objects_into_pack(added, mode), added)  # type: ignore[arg-type]

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def no_longer_name(self, data: st.DataObject) -> None:
        self.unnamed.add(data.draw(st.sampled_from(sorted(self.model))))

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        keys = data.draw(st.lists(st.sampled_from(sorted(self.model)), max_size=3, unique=True))
        self.container.delete_objects(keys)
        for key in keys:
            del self.model[key]
        self.unnamed -= set(keys)

    @rule(
        full=st.booleans(), repack=st.sampled_from(['auto', 'all', 'none']), mode=compress_modes, dry_run=st.booleans()
    )
    def maintain(self, full: bool, repack: str, mode: str, dry_run: bool) -> None:
        named = sorted(set(self.model) - self.unnamed)
        options = MaintenanceOptions(full=full, repack=repack, compress=mode, dry_run=dry_run)  # type: ignore[arg-type]
        report = self.container.maintain(options, lambda: iter(named))
        assert not report.problems
        if dry_run:
            return
        assert not list(self.container.layout.loose_keys(self.container.config.loose_prefix_len))
        if full:
            self.model = {key: self.model[key] for key in named}
            self.unnamed.clear()
            packs = self.container.index.packs()
            assert self.container.layout.pack_sizes().keys() == packs.keys()
            assert self.container.maintain(
                MaintenanceOptions(full=True, repack='none'), lambda: iter(named)
            ).nothing_to_do

    @rule()
    def open_anew(self) -> None:
        self.container.close()

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        if not hasattr(self, 'container'):
            return
        assert list(self.container.list_objects()) == sorted(self.model)
        for key, content in self.model.items():
            assert self.container.get_object_content(key) == content
            assert self.container.get_object_size(key) == len(content)
        assert {key: stream.read() for key, stream in self.container.iter_object_streams(self.model)} == self.model
        with pytest.raises(NotExistent):
            self.container.open('0' * 64)

    def teardown(self) -> None:
        if hasattr(self, 'container'):
            self.container.close()
        shutil.rmtree(self.folder)


TestContainer = ContainerMachine.TestCase
TestContainer.settings = settings(
    max_examples=60, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)


@settings(max_examples=60, deadline=None)
@given(content=contents, level=st.integers(0, 9), cut=st.integers(1, 40))
def test_a_zlib_stream_inflates_to_its_content_by_every_way_and_never_if_it_is_cut(
    content: bytes, level: int, cut: int
) -> None:
    stream = compress(content, level)
    assert decompress(stream) == content
    assert b''.join(decompressed_chunks(iter([stream[:3], stream[3:]]))) == content
    assert io.BufferedReader(InflatedStream(io.BytesIO(stream), len(content))).read() == content  # type: ignore[arg-type]
    short = stream[:-cut]
    with pytest.raises(zlib.error):
        b''.join(decompressed_chunks(iter([short])))
    if content:
        with pytest.raises(CorruptStorage, match='damaged'):
            io.BufferedReader(InflatedStream(io.BytesIO(short), len(content))).read()  # type: ignore[arg-type]
