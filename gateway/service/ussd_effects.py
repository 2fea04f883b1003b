"""What a conversation brings about, committed before the reply that speaks of it."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from gateway.domain.bill import Bill
from gateway.domain.clock import eat_day
from gateway.domain.ussd.effects import (
    AwaitNumber,
    ClaimFamily,
    DisownFamily,
    KeepLanguage,
    PromiseAnswer,
    RequestBill,
    TellCommission,
    TellHowToPay,
    UssdEffect,
)
from gateway.ports import UnitOfWork
from gateway.service.answer_by_sms import PromiseRefusedError, Promises
from gateway.service.bounded import Bounded
from gateway.service.how_to_pay import HowToPay
from gateway.service.messages import Messages
from gateway.service.report_phone import ReportPhone
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
        promises: Promises,
        messages: Messages,
        wrong_numbers_an_hour: int = 10,
        registry: Bounded | None = None,
    ) -> None:
        """``registry``: what of the registry is in work."""
        self._uow = uow
        self._messages = messages
        self._request_number = request_number
        self._how_to_pay = HowToPay(uow, messages)
        self._promises = promises
        self._registry = registry or Bounded(OWN_AT_ONCE)
        self._own = Bounded(OWN_AT_ONCE)
        self._report_phone = ReportPhone(uow, wrong_numbers_an_hour)

    async def __call__(self, effect: UssdEffect, now: datetime) -> Bill | None:
        """Do it. A bill that was asked for, None where what is due has changed or no bill was asked for."""
        match effect:
            case RequestBill():
                return await self._registry.run(partial(self._request_number, effect, now))
            case PromiseAnswer():
                await self._promises(effect)
            case AwaitNumber():
                if not await self._own.run(partial(self._request_number.join, effect, now)):
                    raise PromiseRefusedError
            case KeepLanguage():
                await self._own.run(partial(self._keep_language, effect, now))
            case TellHowToPay():
                await self._own.run(partial(self._how_to_pay, effect, now))
            case TellCommission():
                await self._own.run(partial(self._tell_commission, effect, now))
            case DisownFamily():
                await self._own.run(partial(self._report_phone.disown, effect, now))
            case ClaimFamily():
                await self._own.run(partial(self._report_phone.claim, effect, now))
        return None

    async def _keep_language(self, effect: KeepLanguage, now: datetime) -> None:
        async with self._uow.writing() as tx:
            await tx.callers.set_language(effect.msisdn, effect.language, now)

    async def _tell_commission(self, effect: TellCommission, now: datetime) -> None:
        async with self._uow.writing() as tx:
            await tx.outbox.put([self._messages.commission(effect, eat_day(now))], now)
