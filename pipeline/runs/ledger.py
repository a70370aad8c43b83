"""Does each stage once: its document is kept with the hash of its inputs, and what it does is reported."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from pipeline.runs.events import Events
from pipeline.runs.folder import RunFolder
from pipeline.runs.states import STATES
from resources.record import Record

__all__ = ["Ledger"]

D = TypeVar("D", bound=Record)


class Ledger:
    """The stages of one run, as its folder and its events show them."""

    def __init__(self, folder: RunFolder, events: Events) -> None:
        self._folder = folder
        self._events = events

    def once(
        self,
        stage: str,
        stem: str,
        kind: type[D],
        inputs: str,
        make: Callable[[], D],
        *,
        still: Callable[[D], bool] = lambda _: True,
    ) -> D:
        """Return the stage's document: the kept one if made from ``inputs`` while ``still`` holds, else a new one."""
        known = self._folder.read(stem, kind, inputs=inputs)
        if known is not None and still(known):
            self._events.emit(stage, "skipped", "already done")
            return known
        with self.entered(stage):
            document = make()
            self._events.emit(stage, "effect")
            self._folder.write(stem, document)
            return document

    @contextmanager
    def entered(self, stage: str) -> Iterator[None]:
        """Report ``stage`` as started, then as finished with its seconds or as failed."""
        self._folder.update(state=STATES[stage])
        self._events.emit(stage, "started")
        started = time.monotonic()
        try:
            yield
        except BaseException as error:
            self._events.emit(stage, "failed", str(error))
            raise
        seconds = round(time.monotonic() - started, 3)
        self._folder.update(seconds={**self._folder.run.seconds, stage: seconds})
        self._events.emit(stage, "finished", seconds=seconds)
