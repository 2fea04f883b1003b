"""Asks a provider for a day's accounts and waits for them; they come as callbacks at whichever process serves."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from datetime import date

import structlog

from gateway.domain.clock import Clock
from gateway.domain.outcomes import Accepted, Busy, Done, Outcome, Refused, Unknown, Unreachable
from gateway.ports import DayOrder, HttpClient, HttpResponse, Statement, StatementProvider, UnitOfWork
from gateway.service.stage_statement import Progress

log = structlog.get_logger()
_LOOK_S = 0.5
_AGAIN_S = 15.0  # after no answer at all
_CALL_S = 30.0


class AskStatements:
    """One provider's accounts."""

    def __init__(
        self,
        uow: UnitOfWork,
        clock: Clock,
        client: HttpClient,
        provider: StatementProvider,
        progress: Progress = lambda *_: None,
    ) -> None:
        self._uow = uow
        self._clock = clock
        self._client = client
        self._provider = provider
        self._progress = progress

    async def __call__(self, day: date, codes: Sequence[str], wait_s: float, again: bool = False) -> dict[str, str]:
        """Ask for each code's account that is not here (``again``: for all). Which did not come, and why."""
        deadline = asyncio.get_running_loop().time() + wait_s
        known: set[str | None] = set()
        if not again:
            async with self._uow.reading() as tx:
                known = {s.provider_code for s in await tx.reconciliations.statements(self._provider.name, day)}
        wanted = [code for code in codes if code not in known]
        answers = await asyncio.gather(*(self._obtain(day, code, deadline) for code in wanted))
        return {code: why for code, why in zip(wanted, answers, strict=True) if why}

    async def _obtain(self, day: date, code: str, deadline: float) -> str:
        """Until the account is here or the time is over; why it is not, or nothing."""
        loop = asyncio.get_running_loop()
        while True:
            request_id, outcome = await self._ask(day, code)
            match outcome:
                case Refused():
                    return f"refused: {outcome.code} {outcome.text}".strip()
                case Accepted() | Done() | Unknown():
                    came = await self._await(request_id, deadline)
                    if came is None:
                        return "no answer in time"
                    if came.usable:
                        return ""
                    if came.how.get("said") == Refused.__name__:
                        return "refused: the provider says that there is no account of this day"
                    wait_s, why = float(came.how.get("again_s") or _AGAIN_S), "the provider says later"
                case Busy():
                    wait_s, why = outcome.retry_after_s, "the provider says later"
                case Unreachable():
                    wait_s, why = _AGAIN_S, "the provider cannot be reached"
            if loop.time() + wait_s >= deadline:
                return why
            await asyncio.sleep(wait_s)

    async def _ask(self, day: date, code: str) -> tuple[str, Outcome]:
        order = DayOrder(day, code, str(secrets.randbelow(2**31 - 1) + 1))
        now = self._clock.now()
        async with self._uow.writing() as tx:  # before it is asked: the answer may come at once
            await tx.reconciliations.add_order(self._provider.name, order, now)
        answer = await self._client.send(self._provider.day_request(order, now), _CALL_S)
        outcome = self._provider.day_outcome(order, answer) if isinstance(answer, HttpResponse) else answer
        log.info("statement_asked", provider=self._provider.name, day=str(day), outcome=type(outcome).__name__)
        return order.request_id, outcome

    async def _await(self, request_id: str, deadline: float) -> Statement | None:
        """The account that answers the order, usable or not."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        while True:
            async with self._uow.reading() as tx:
                came = await tx.reconciliations.answers_to(self._provider.name, request_id)
            if came:
                return next((s for s in came if s.usable), came[-1])
            if loop.time() >= deadline:
                return None
            self._progress("waiting", int(loop.time() - started), int(deadline - started))
            await asyncio.sleep(min(_LOOK_S, max(deadline - loop.time(), 0.01)))
