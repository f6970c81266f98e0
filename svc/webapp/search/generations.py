"""The index that answers, and the one that is being built to take its place.

Each is a folder, numbered. The newest that is whole answers; a newer one that is not is being built. While there is no
whole one, the one that is being built answers with what it has. What is older goes. Which is which is said by their
states alone, so a process that dies at any moment finds its way.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from svc.webapp.search.index import Index, IndexState, IndexTroubleError

__all__ = ["Generations"]

log = logging.getLogger(__name__)

FORMAT = "index-1-"
"""Raised when what an index holds changes: those of another format are thrown away, and built anew."""


class Generations:
    """The indexes in one folder. Its methods block; one thread at a time feeds it, any may ask `current`."""

    def __init__(self, folder: Path, open_index: Callable[[Path], Index]) -> None:
        """Open what is there, or begin the first. Raises IndexTroubleError when nothing can be opened, or made."""
        self._folder = folder
        self._open = open_index
        self.building: Index | None = None
        """None when no index is being built."""
        folder.mkdir(parents=True, exist_ok=True)
        found = self._found()
        whole = [number for number, index in found.items() if index.state.is_whole]
        self._number = max(whole or found, default=0)
        newest = max(found, default=0)
        self.current: Index = found[self._number] if found else self._made(1)
        """The one that answers."""
        if not found:
            self._number = newest = 1
        if not self.current.state.is_whole:
            self.building = self.current
        elif newest > self._number:
            self.building = found[newest]
        for number, index in found.items():
            if index not in (self.current, self.building):
                index.close()
                self._remove(number)

    @property
    def each(self) -> tuple[Index, ...]:
        """All that have to be fed."""
        return (self.current,) if self.building in (None, self.current) else (self.current, self.building)

    @property
    def fed_until_us(self) -> int:
        """From where on the log has to be read: as far as the one that is furthest behind has come."""
        return min(index.state.fed_until_us for index in self.each)

    def rebuild(self, fed_until_us: int) -> bool:
        """Begin a new index, fed from this moment on; False when one is being built. Raises IndexTroubleError."""
        if self.building is not None:
            return False
        building = self._made(self._number + 1)
        building.commit(IndexState(fed_until_us=fed_until_us))
        self.building = building
        return True

    def complete(self, state: IndexState) -> None:
        """Let the one that was being built answer from now on, and drop the other. Raises IndexTroubleError."""
        built = self.building
        assert built is not None, "nothing is being built"
        built.commit(replace(state, is_whole=True))
        self.building = None
        if built is not self.current:
            before, self.current = self.current, built
            before.close()
            self._remove(self._number)
            self._number += 1

    def close(self) -> None:
        """Let go of the folder."""
        for index in self.each:
            index.close()

    def _found(self) -> dict[int, Index]:
        found: dict[int, Index] = {}
        for path in self._folder.iterdir():
            number = path.name.removeprefix(FORMAT)
            if path.name.startswith(FORMAT) and number.isdigit():
                try:
                    found[int(number)] = self._open(path)
                    continue
                except IndexTroubleError as error:
                    if _is_in_use(error):
                        raise
                    log.warning("an index cannot be opened, and is built anew: %s", error)
            if path.name.startswith("index-"):
                shutil.rmtree(path, ignore_errors=True)
        return found

    def _made(self, number: int) -> Index:
        self._remove(number)
        return self._open(self._path(number))

    def _remove(self, number: int) -> None:
        shutil.rmtree(self._path(number), ignore_errors=True)

    def _path(self, number: int) -> Path:
        return self._folder / f"{FORMAT}{number}"


def _is_in_use(error: IndexTroubleError) -> bool:
    return "Lock" in str(error)
