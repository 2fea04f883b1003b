"""What a conversation brings about, committed before the reply that speaks of it."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from gateway.domain.bill import Bill
from gateway.domain.ussd.effects import AwaitNumber, KeepLanguage, PromiseAnswer, RequestBill, UssdEffect
from gateway.ports import UnitOfWork
from gateway.service.answer_by_sms import PromiseRefusedError, promise
from gateway.service.bounded import Bounded
from gateway.service.request_control_number import RequestControlNumber

OWN_AT_ONCE = 2  # transactions of a moment each


class UssdEffects:
    """Carries out each effect in a transaction of its own. Raises what the database raises: nothing was done then.

    Those that read the registry wait for each other and not for the rest: while it hangs, a promise can be committed.
    """

    def __init__(
        self,
        uow: UnitOfWork,
        request_number: RequestControlNumber,
        answers_an_hour: int = 3,
        registry: Bounded | None = None,
        own: Bounded | None = None,
    ) -> None:
        """``registry``: what of the registry is in work; ``own``: what needs our tables only."""
        self._uow = uow
        self._request_number = request_number
        self._answers_an_hour = answers_an_hour
        self._registry = registry or Bounded(OWN_AT_ONCE)
        self._own = own or Bounded(OWN_AT_ONCE)

    async def __call__(self, effect: UssdEffect, now: datetime) -> Bill | None:
        """Do it. A bill that was asked for, None where what is due has changed or no bill was asked for."""
        if isinstance(effect, RequestBill):
            return await self._registry.run(partial(self._request_number, effect, now))
        if isinstance(effect, AwaitNumber):
            if not await self._own.run(partial(self._request_number.join, effect, now)):
                raise PromiseRefusedError
            return None
        await self._own.run(partial(self._carry_out, effect, now))
        return None

    async def _carry_out(self, effect: KeepLanguage | PromiseAnswer, now: datetime) -> None:
        async with self._uow.writing() as tx:
            if isinstance(effect, PromiseAnswer):
                await promise(tx, effect, self._answers_an_hour, now)
            else:
                await tx.callers.set_language(effect.msisdn, effect.language, now)
