"""Many objects opened at once: each one comes, however the keys fall into portions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ricordi.repository.container.container import Container


@pytest.mark.parametrize('number', [0, 1, 3, 4, 6, 7, 20])
def test_no_object_is_left_out_between_two_portions(limited: Callable[..., Container], number: int) -> None:
    container = limited(bulk_keys=3)
    keys = container.put_objects(b'content %d' % number for number in range(number))
    read = {key: handle.read() for key, handle in container.iter_object_streams(iter(keys))}
    assert sorted(read) == sorted(keys)
    assert sorted(read.values()) == sorted(b'content %d' % number for number in range(number))
