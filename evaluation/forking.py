"""Goes on from one warm world in many ways: a forked process has the whole past, and keeps its future to itself."""

import multiprocessing
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from typing import Generic, TypeVar

T = TypeVar("T")

_FORK = multiprocessing.get_context("fork")


class Branch(Generic[T]):
    """A forked process at work, and its answer."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._answer, theirs = _FORK.Pipe(duplex=False)
        self._process: ForkProcess = _FORK.Process(target=_work, args=(work, theirs))
        self._process.start()
        theirs.close()

    def result(self) -> T:
        """Wait for its answer.

        Raises:
            RuntimeError: it failed, with its traceback; or it ended without a word.
        """
        try:
            done, value = self._answer.recv()
        except EOFError:
            done, value = False, f"a branch ended without an answer, exit code {self._process.exitcode}"
        self._process.join()
        if not done:
            raise RuntimeError(value)
        found: T = value
        return found


def _work(work: Callable[[], T], answer: Connection) -> None:
    try:
        answer.send((True, work()))
    except BaseException:  # noqa: BLE001 - the parent raises it
        answer.send((False, traceback.format_exc()))
    finally:
        answer.close()
