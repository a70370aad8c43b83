"""The host lock: it nests in its own thread, keeps others out, and gives up in time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gitops_writer.errors import RemoteError
from gitops_writer.lock import HostLock


def test_the_holder_may_nest_it_and_others_get_it_afterwards(tmp_path: Path) -> None:
    lock, other = HostLock(tmp_path / "lock"), HostLock(tmp_path / "lock")
    with lock.held(), lock.held():
        pass
    with other.held(timeout=0.1):
        pass


def test_another_holder_is_waited_for_only_so_long(tmp_path: Path) -> None:
    lock, other = HostLock(tmp_path / "lock"), HostLock(tmp_path / "lock")
    with lock.held(), pytest.raises(RemoteError, match="busy") as caught, other.held(timeout=0.05):
        pass
    assert caught.value.retryable


def test_it_is_free_again_after_an_error(tmp_path: Path) -> None:
    lock = HostLock(tmp_path / "lock")
    with pytest.raises(ZeroDivisionError), lock.held():
        _ = 1 / 0
    with HostLock(tmp_path / "lock").held(timeout=0.1):
        pass


@pytest.mark.parametrize("shared", [True, False])
def test_threads_never_hold_it_together(tmp_path: Path, *, shared: bool) -> None:
    one = HostLock(tmp_path / "lock")
    counter = {"value": 0}

    def add(_: int) -> None:
        lock = one if shared else HostLock(tmp_path / "lock")
        for _ in range(20):
            with lock.held():
                seen = counter["value"]
                (tmp_path / "between").write_text(str(seen))
                counter["value"] = seen + 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(8)))
    assert counter["value"] == 160
