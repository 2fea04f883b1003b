"""What a conversation brings about, committed before the reply that speaks of it."""

from __future__ import annotations

from datetime import datetime

from gateway.domain.bill import Bill
from gateway.domain.ussd.effects import (
    ClaimFamily,
    DisownFamily,
    KeepLanguage,
    RequestBill,
    TellHowToPay,
    UssdEffect,
)
from gateway.ports import UnitOfWork
from gateway.service.how_to_pay import HowToPay
from gateway.service.messages import Messages
from gateway.service.report_phone import ReportPhone
from gateway.service.request_control_number import RequestControlNumber


class UssdEffects:
    """Carries out each effect in a transaction of its own. Raises what the database raises: nothing was done then."""

    def __init__(
        self,
        uow: UnitOfWork,
        request_number: RequestControlNumber,
        messages: Messages,
        wrong_numbers_an_hour: int = 10,
    ) -> None:
        self._uow = uow
        self._request_number = request_number
        self._how_to_pay = HowToPay(uow, messages)
        self._report_phone = ReportPhone(uow, wrong_numbers_an_hour)

    async def __call__(self, effect: UssdEffect, now: datetime) -> Bill | None:
        """Do it. A bill that was asked for, None where what is due has changed or no bill was asked for."""
        match effect:
            case RequestBill():
                return await self._request_number(effect, now)
            case KeepLanguage(msisdn, language):
                async with self._uow.writing() as tx:
                    await tx.callers.set_language(msisdn, language, now)
            case TellHowToPay():
                await self._how_to_pay(effect, now)
            case DisownFamily():
                await self._report_phone.disown(effect, now)
            case ClaimFamily():
                await self._report_phone.claim(effect, now)
        return None
