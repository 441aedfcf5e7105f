"""Several questions at once, of which some may fail."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from console.domain.errors import BackendError, Failure

T = TypeVar("T")


async def together(questions: Sequence[Coroutine[Any, Any, T]]) -> tuple[list[T], tuple[Failure, ...]]:
    """The answers, in order, of those that were answered, and why the others were not.

    Raises:
        BackendError: none was answered; the first one's.
    """
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_tried(question)) for question in questions]
    results = [task.result() for task in tasks]
    answers = [one for one in results if not isinstance(one, BackendError)]
    errors = [one for one in results if isinstance(one, BackendError)]
    if errors and not answers:
        raise errors[0]
    return answers, tuple(error.failure for error in errors)


async def _tried(question: Coroutine[Any, Any, T]) -> T | BackendError:
    try:
        return await question
    except BackendError as error:
        return error
