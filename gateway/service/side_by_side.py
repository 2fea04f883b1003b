"""Several pieces of work side by side over one transaction: what they ask of it in step is asked at once.

A rule is written for one entry, as a coroutine that awaits one repository after another. Run alone it sends a statement
for each of them. Here many such coroutines ("lanes") run over one transaction: each goes on until it asks the store
for something, and when all have asked, the questions of the earliest step are put together as one bulk call. Those
behind so catch up with those ahead, and locks are taken step by step, in one order for all.

Nothing here is concurrent: no task, no timer, no lock. The lanes are advanced one after the other in their order, so
the same work asks the same questions in the same order, always.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from gateway.ports import Transaction

T = TypeVar("T")


class NotApartError(RuntimeError):
    """Two lanes came to the same thing. Side by side the later one would not see what the earlier one does to it."""


@dataclass(frozen=True, eq=False, slots=True)
class Step:
    """One kind of question. ``ask`` puts many of them to the store; its answers are in the order of the questions.

    ``alike``: the answer is the same for all who ask the same, however often, within a transaction. ``alone``: what a
    lane has asked for is its own until the end.
    """

    name: str
    ask: Callable[[Transaction, Sequence[Any]], Awaitable[Sequence[Any]]]
    alike: bool = False
    alone: bool = False


@dataclass(slots=True)
class Asked:
    """A lane waits for this answer. ``key``: what an ``alike`` or ``alone`` step knows the question by."""

    step: Step
    what: Any
    key: Hashable = None

    def __await__(self) -> Generator[Asked, Any, Any]:
        return (yield self)


@dataclass(eq=False, slots=True)
class _Lane(Generic[T]):
    number: int
    work: Coroutine[Any, Any, T]
    result: list[T] = field(default_factory=list)  # empty while it runs


class SideBySide(Generic[T]):
    """``order``: the steps as one lane takes them, the earliest first. A step that is not among them goes first."""

    def __init__(self, tx: Transaction, order: Sequence[Step]) -> None:
        self._tx = tx
        self._rank = {step: rank for rank, step in enumerate(order)}
        self._waiting: dict[Step, list[tuple[_Lane[T], Asked]]] = {}
        self._known: dict[tuple[Step, Hashable], Any] = {}
        self._owner: dict[tuple[Step, Hashable], _Lane[T]] = {}

    async def run(self, works: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
        """What each returned. Whatever one of them or the store raises ends all."""
        lanes = [_Lane(number, work) for number, work in enumerate(works)]
        try:
            for lane in lanes:
                self._go_on(lane, None)
            while self._waiting:
                step = min(self._waiting, key=lambda step: self._rank.get(step, -1))
                questions = sorted(self._waiting.pop(step), key=lambda question: question[0].number)
                answers = await self._answers(step, questions)
                for (lane, _), answer in zip(questions, answers, strict=True):
                    self._go_on(lane, answer)
        finally:
            for lane in lanes:
                lane.work.close()
        return [result for lane in lanes for result in lane.result]

    def _go_on(self, lane: _Lane[T], answer: Any) -> None:
        """To the lane's next question, or to its end."""
        try:
            asked = lane.work.send(answer)
        except StopIteration as end:
            lane.result.append(end.value)
            return
        if not isinstance(asked, Asked):
            raise RuntimeError("side by side, only the store is waited for")
        self._waiting.setdefault(asked.step, []).append((lane, asked))

    async def _answers(self, step: Step, questions: Sequence[tuple[_Lane[T], Asked]]) -> Sequence[Any]:
        if step.alone:
            for lane, asked in questions:
                if self._owner.setdefault((step, asked.key), lane) is not lane:
                    raise NotApartError(step.name)
        if not step.alike:
            return await step.ask(self._tx, [asked.what for _, asked in questions])
        new = {asked.key: asked.what for _, asked in questions if (step, asked.key) not in self._known}
        if new:
            for key, answer in zip(new, await step.ask(self._tx, list(new.values())), strict=True):
                self._known[step, key] = answer
        return [self._known[step, asked.key] for _, asked in questions]
