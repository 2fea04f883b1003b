"""A time limit that costs nothing where nothing is waited for.

A timer is some ten microseconds of CPU, as much as all that the session machine does for a key; a session store in
memory answers at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from types import coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def within(work: Coroutine[Any, Any, T], left_s: Callable[[], float]) -> T:
    """What ``work`` returns. Raises TimeoutError where it waits for something and that takes longer than is left."""
    try:
        awaited = work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    async with asyncio.timeout(left_s()):
        return await _go_on(work, awaited)


@coroutine
def _go_on(work: Coroutine[Any, Any, T], awaited: Any) -> Generator[Any, Any, T]:
    """The rest of a coroutine that was begun and waits for ``awaited``."""
    while True:
        try:
            try:
                sent = yield awaited
            except BaseException as failure:
                awaited = work.throw(failure)
            else:
                awaited = work.send(sent)
        except StopIteration as done:
            result: T = done.value
            return result
