"""How many spans are asked for at once: they hold what applications put into them, prompts and answers too."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from adapters.http import is_too_large
from console.domain.errors import BackendError

T = TypeVar("T")

SHRINKS = 8
"""By how much a page is made smaller that was too large to be read."""


class PageSize:
    """The size of one store's pages. It shrinks where answers are too large, and stays so."""

    def __init__(self, most: int) -> None:
        self.most = most

    async def ask(self, question: Callable[[int], Awaitable[T]], wanted: int) -> T:
        """The answer to a question for at most `wanted` spans, or for as many as can be read.

        Raises:
            BackendError: what the question met; that an answer is too large only where a single span is.
        """
        size = min(wanted, self.most)
        while True:
            try:
                return await question(size)
            except BackendError as error:
                if size == 1 or not is_too_large(error):
                    raise
            size = self.most = max(1, size // SHRINKS)
