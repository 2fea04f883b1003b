"""The facts that the menus ask for, as JSON values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

from gateway.domain.bill import Bill, BillState
from gateway.domain.clock import Clock, eat_day
from gateway.domain.cover import cover_on
from gateway.domain.family_payment import is_still_due
from gateway.domain.msisdn import normalise
from gateway.domain.quote import Quote
from gateway.domain.ussd.machine import Ask
from gateway.ports import InsureeCover, UnitOfWork
from gateway.service.batching import Batcher
from gateway.service.bounded import Bounded
from gateway.service.enquiry import Enquire, Found, cover_fact
from gateway.service.quotes import read_quote
from gateway.service.ussd_members import MembersFact
from gateway.service.ussd_officers import OfficerFacts, officers_fact
from gateway.service.ussd_payment import PaymentFact

JsonObject = dict[str, Any]
AT_ONCE = 5  # look-ups


class UssdFacts:
    """Answers asks from the registry and our bills. Every method may raise; the shell turns that into a screen.

    Whoever asks may leave at his deadline: what hangs is left to itself.
    """

    def __init__(
        self,
        uow: UnitOfWork,
        clock: Clock,
        wrong_numbers_an_hour: int = 10,
        officer_wrong_numbers_an_hour: int = 60,
        registry: Bounded | None = None,
        patience_s: float = 5.0,
    ) -> None:
        """``registry``: what of the registry is in work; ``patience_s``: of the callers who are looked up together."""
        self._uow = uow
        self._clock = clock
        self._wrong_numbers_an_hour = wrong_numbers_an_hour
        self._enquire = Enquire(uow)
        self._registry = registry or Bounded(AT_ONCE)
        self._callers: Batcher[str, JsonObject] = Batcher(self._read_callers, size=100, timeout_s=patience_s)
        self._readers: dict[str, Callable[..., Coroutine[Any, Any, JsonObject]]] = {
            "caller": self.caller,
            "quote": self.quote,
            "bill": self.bill,
            "enquiry": self.enquiry,
            "members": MembersFact(uow, clock),
            "payment": PaymentFact(uow, clock),
            **OfficerFacts(uow, clock, officer_wrong_numbers_an_hour, self._enquire).readers(),
            "tries": self.tries,
        }

    async def answer(self, ask: Ask) -> JsonObject:
        """The fact's value. Raises KeyError for a fact that only the shell can give (control_number)."""
        read = partial(self._readers[ask.fact], **dict(ask.args))
        # many callers are one query, which each of them may leave already
        return await (read() if ask.fact == "caller" else self._registry.run(read))

    async def caller(self, msisdn: str) -> JsonObject:
        """Language, the families whose live insurees carry this phone, and whether it is a working officer's."""
        return await self._callers.get(msisdn) or {"language": None, "count": 0, "families": []}

    async def _read_callers(self, msisdns: Sequence[str]) -> Mapping[str, JsonObject]:
        today = eat_day(self._clock.now())
        async with self._uow.reading() as tx:
            indexed, languages, officers, disowned = await tx.callers.known(msisdns)
            wanted = [i for ids in indexed.values() for i in ids]
            covers = {c.insuree_id: c for c in await tx.registry.insuree_covers(wanted)} if wanted else {}
            known = await tx.registry.officers([i for ids in officers.values() for i in ids]) if officers else {}
        return {
            m: {
                **_caller(
                    m,
                    languages.get(m),
                    [covers[i] for i in indexed.get(m, ()) if i in covers],
                    disowned.get(m, ()),
                    today,
                ),
                **officers_fact(m, officers.get(m, ()), known, today),
            }
            for m in msisdns
        }

    async def quote(self, family_id: int) -> JsonObject:
        """What the family would pay next."""
        today = eat_day(self._clock.now())
        async with self._uow.reading() as tx:
            quote, _ = await read_quote(tx.registry, family_id, today)
        if not isinstance(quote, Quote):
            return {"state": quote.reason}
        return {
            "state": "payable",
            "key": quote.key,
            "product": quote.product.name[:40],
            "amount": quote.amount.amount_minor,
            "start": quote.period.start.isoformat(),
            "until": quote.period.expiry.isoformat(),
        }

    async def bill(self, family_id: int) -> JsonObject:
        """The family's open bill, if what it asks for is still what is due."""
        now = self._clock.now()
        async with self._uow.reading() as tx:
            bill = await tx.bills.open_for(family_id, now)
            if bill is None or bill.stays_without_number:
                return {"state": "none"}
            quote, _ = await read_quote(tx.registry, family_id, eat_day(now))
        if not is_still_due(bill, quote):
            return {"state": "none"}
        return number_fact(bill) if bill.control_number else {"state": "waiting"}

    async def enquiry(self, chfid: str, msisdn: str) -> JsonObject:
        """Covered or not and until when, and no more, for a correct number; guesses are counted and limited.

        A policy covers nobody by itself: a member's number is answered as its family reads it under ``members``.
        """
        found = await self._enquire(chfid, msisdn, self._wrong_numbers_an_hour, self._clock.now())
        return cover_fact(found.own) if isinstance(found, Found) else {"state": found}

    async def tries(self, msisdn: str) -> JsonObject:
        """Whether the limit on insurance numbers lets this phone try another one in this hour."""
        async with self._uow.reading() as tx:
            tried = await tx.callers.misses(msisdn, self._clock.now())
        return {"state": "limited" if tried >= self._wrong_numbers_an_hour else "free"}


def number_fact(bill: Bill) -> JsonObject:
    """What a caller is told of a bill."""
    if bill.control_number and bill.state != BillState.REFUSED:
        return {
            "state": "numbered",
            "number": bill.control_number,
            "amount": (bill.amount - bill.paid).amount_minor,
            "expires": eat_day(bill.expires_at).isoformat(),
        }
    return {"state": "refused"}


def _caller(
    msisdn: str,
    language: str | None,
    insurees: Sequence[InsureeCover],
    disowned: Collection[int],
    today: date,
) -> JsonObject:
    families: dict[int, JsonObject] = {}
    for known in insurees:
        # the index may lag: only the live row says whose phone it is, and of which family
        if known.family_id in families or known.family_id in disowned or normalise(known.phone) != msisdn:
            continue
        families[known.family_id] = {
            "id": known.family_id,
            "chfid": known.head_chfid,
            "label": f"{known.head_name[:18]} {known.head_chfid}",
            **cover_fact(cover_on(known.policies, today)),
        }
    return {"language": language, "count": len(families), "families": list(families.values())}
