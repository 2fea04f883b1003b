"""The facts of enrolment officers' menus, as JSON values."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from gateway.domain.clock import Clock, eat_day
from gateway.domain.commission import Commission, CommissionLine, Reckoning, month, month_before, reckon
from gateway.domain.msisdn import normalise
from gateway.domain.officers import Officer, mandate
from gateway.ports import UnitOfWork
from gateway.service.enquiry import Enquire, Found, cover_fact

JsonObject = dict[str, Any]
_MOST_LINES = 6  # of one month on the screen; the sums are always of all


class OfficerFacts:
    """Answers asks of officers. ``wrong_numbers_an_hour``: an officer reads numbers off many cards."""

    def __init__(
        self, uow: UnitOfWork, clock: Clock, wrong_numbers_an_hour: int = 60, enquire: Enquire | None = None
    ) -> None:
        """``enquire``: that of other callers, since a phone may be both; its own where none is given."""
        self._uow = uow
        self._clock = clock
        self._enquire = enquire or Enquire(uow)
        self._wrong_numbers_an_hour = wrong_numbers_an_hour

    def readers(self) -> dict[str, Callable[..., Coroutine[Any, Any, JsonObject]]]:
        """By the name of the fact."""
        return {
            "officer_enquiry": self.officer_enquiry,
            "mandate": self.mandate,
            "commission": self.commission,
        }

    async def officer_enquiry(self, chfid: str, msisdn: str, officer: str) -> JsonObject:
        """A family by its number: no more of it than any phone may see, and who asks, for what may follow."""
        now = self._clock.now()
        found = await self._enquire(chfid, msisdn, self._wrong_numbers_an_hour, now)
        if not isinstance(found, Found):
            return {"state": found}
        return {"id": found.family_id, "chfid": chfid, "officer": officer, **cover_fact(found.cover)}

    async def mandate(self, officer_id: int, family_id: int, msisdn: str) -> JsonObject:
        """Whether the officer, from the live row, may ask for this family's control number."""
        async with self._uow.reading() as tx:
            officer = (await tx.registry.officers([officer_id])).get(officer_id)
            family = await tx.registry.family(family_id)
            assigned = family is not None and await tx.registry.has_village(officer_id, family.location_ids)
        if officer is not None and normalise(officer.phone) != msisdn:
            officer = None
        return {"state": str(mandate(officer, family, assigned, eat_day(self._clock.now())))}

    async def commission(self, officer_id: int) -> JsonObject:
        """This month and the last."""
        today = eat_day(self._clock.now())
        (this, _), (last, _) = month(today), month_before(today)
        async with self._uow.reading() as tx:
            premiums = await tx.registry.collected(officer_id, last, today)
        return {"this": _month(reckon(premiums, this)), "last": _month(reckon(premiums, last))}


def officers_fact(msisdn: str, ids: Sequence[int], known: Mapping[int, Officer], today: date) -> JsonObject:
    """What the caller's fact says where the phone is a working officer's; nothing where it is not.

    The index may lag: only the live row says whose phone it is. Rows with one code are one officer, entered twice.
    """
    officers: dict[str, JsonObject] = {}
    for officer_id in ids:
        officer = known.get(officer_id)
        if officer is None or normalise(officer.phone) != msisdn or not officer.works_on(today):
            continue
        label = f"{officer.name[:18]} {officer.code[:12]}"
        officers.setdefault(officer.code, {"id": officer.id, "code": officer.code, "label": label})
    if not officers:
        return {}
    return {"officer": True, "officer_count": len(officers), "officers": list(officers.values())}


def _month(of: Commission) -> JsonObject:
    told = of.reckoned if of.state == Reckoning.PARTLY else of.lines
    lines = [_line(line) for line in told[:_MOST_LINES]]
    return {
        "state": str(of.state),
        "first": of.first.isoformat(),
        "month": f"{of.first:%m/%Y}",
        "commission": of.total.amount_minor,
        "collected": of.collected.amount_minor,
        "open": of.open.amount_minor,
        "lines": "\n".join([*lines, "..."] if len(told) > _MOST_LINES else lines),
    }


def _line(line: CommissionLine) -> str:
    """``CHFDOM 30,000 x 10% = 3,000``: figures that can be checked, in no language."""
    code = line.product_code[:8] or "CHF"
    if line.rate is None:
        return f"{code} {line.collected}"
    return f"{code} {line.collected} x {_percent(line.rate)}% = {line.commission}"


def _percent(rate: Decimal) -> str:
    text = f"{rate * 100:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
