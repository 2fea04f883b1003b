"""What both sides of a twin run begin with: a place, a product, a family, and the policies that it holds already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

from openimis_process import OpenImis

from gateway.domain.chfid import with_check_digit
from gateway.domain.periods import add_months

_CLERK = 1
_OTHER = 7  # tblRelations
_CHILD, _SPOUSE = 4, 8


@dataclass(frozen=True)
class Held:
    """A policy that openIMIS' own screens made before. Days count from the day of the run.

    ``paid``: "all", an amount, or nothing (idle). ``ends`` moves the expiry away from what was quoted.
    """

    start: int
    ends: int | None = None
    paid: str | None = "all"
    suspended: bool = False


@dataclass(frozen=True)
class Person:
    """A member of so many years; the first is the head."""

    age: int
    other_relation: bool = False


HOUSEHOLD = (Person(34), Person(31), Person(8))


@dataclass(frozen=True)
class Stage:
    """The ids of what was made. ``sold`` is what the family pays for now, ``product`` what it holds."""

    family: int
    product: int
    sold: int
    officer: int
    policies: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """What to make. ``product`` are columns of tblProduct; ``converts`` those of the product that it is replaced by."""

    product: Mapping[str, Any]
    people: tuple[Person, ...]
    held: tuple[Held, ...]
    in_district: bool = False
    converts: Mapping[str, Any] | None = None


class Builder:
    """Rows that the screens of other modules make, by SQL; policies and premiums by openIMIS' own services."""

    def __init__(self, connection: Any, openimis: OpenImis, day: date) -> None:
        self._connection = connection
        self._openimis = openimis
        self._day = day
        self._row = {"ValidityFrom": datetime.combine(day - timedelta(days=900), time(), UTC)}

    async def build(self, plan: Plan) -> Stage:
        places = await self._places()
        officer = await self._add(
            "tblOfficer",
            "OfficerID",
            OfficerUUID=str(uuid4()),
            Code="EO777",
            LastName="Sanga",
            OtherNames="Tumaini",
            Phone="0712000977",
            LocationId=places["D"],
            AuditUserID=_CLERK,
        )
        place = places["D"] if plan.in_district else places["R"]
        sold = product = await self._product("TWIN", place, **plan.product)
        if plan.converts is not None:
            sold = await self._product("TWINNEW", place, **plan.converts)
        family = await self._family(places["V"], plan.people)
        policies = [self._policy(number, held, family, product, officer) for number, held in enumerate(plan.held, 1)]
        for policy, held in zip(policies, plan.held, strict=True):
            await self._end(policy, held)
            if held.suspended:
                self._openimis("suspend_policy", policy=policy)
        if plan.converts is not None:
            await self._connection.execute(
                'UPDATE "tblProduct" SET "DateTo" = $2, "ConversionProdID" = $3 WHERE "ProdID" = $1',
                product,
                datetime.combine(self._day - timedelta(days=1), time(), UTC),
                sold,
            )
        return Stage(family, product, sold, officer, tuple(policies))

    def _policy(self, number: int, held: Held, family: int, product: int, officer: int) -> int:
        start = self._day + timedelta(days=held.start)
        enrolled = min(start, self._day).isoformat()
        made = self._openimis(
            "create_policy",
            family=family,
            product=product,
            officer=officer,
            enroll_date=enrolled,
            start_date=start.isoformat(),
        )
        amount = made["quote"]["value"] if held.paid == "all" else held.paid
        if amount is not None:
            self._openimis("premium", policy=made["id"], amount=amount, receipt=f"OLD-{number}", pay_date=enrolled)
        key: int = made["id"]
        return key

    async def _end(self, policy: int, held: Held) -> None:
        if held.ends is None:
            return
        last = self._day + timedelta(days=held.ends)
        for table, column in (("tblPolicy", "PolicyID"), ("tblInsureePolicy", "PolicyId")):
            await self._connection.execute(
                f'UPDATE "{table}" SET "ExpiryDate" = $2 WHERE "{column}" = $1 AND "ValidityTo" IS NULL', policy, last
            )

    async def _places(self) -> dict[str, int]:
        places: dict[str, int] = {}
        parent = None
        for kind in "RDWV":
            parent = places[kind] = await self._add(
                "tblLocations",
                "LocationId",
                LocationUUID=str(uuid4()),
                LocationCode=f"{kind}777",
                LocationName=f"Twin {kind}",
                LocationType=kind,
                ParentLocationId=parent,
                AuditUserId=_CLERK,
            )
        return places

    async def _product(self, code: str, place: int, **columns: Any) -> int:
        usual = {
            "ProdUUID": str(uuid4()),
            "ProductCode": code,
            "ProductName": f"Bima {code}",
            "LocationId": place,
            "InsurancePeriod": 12,
            "DateFrom": datetime.combine(self._day - timedelta(days=900), time(), UTC),
            "DateTo": datetime.combine(self._day + timedelta(days=900), time(), UTC),
            "LumpSum": 30000,
            "MemberCount": 6,
            "GracePeriod": 0,
            "AccCodePremiums": "SP19960",
            "AuditUserID": _CLERK,
        }
        return await self._add("tblProduct", "ProdID", **{**usual, **columns})

    async def _family(self, village: int, people: tuple[Person, ...]) -> int:
        family = await self._add(
            "tblFamilies",
            "FamilyID",
            FamilyUUID=str(uuid4()),
            InsureeID=await self._connection.fetchval('SELECT min("InsureeID") FROM "tblInsuree"'),
            LocationId=village,
            isOffline=False,
            AuditUserID=_CLERK,
        )
        heads = []
        for place, person in enumerate(people):
            relation = _OTHER if person.other_relation else _CHILD if person.age < 18 else _SPOUSE
            heads.append(
                await self._add(
                    "tblInsuree",
                    "InsureeID",
                    InsureeUUID=str(uuid4()),
                    FamilyID=family,
                    CHFID=with_check_digit(7_700_001 + place),
                    LastName="Pacha",
                    OtherNames=f"Mtu {place + 1}",
                    DOB=add_months(self._day, -12 * person.age) - timedelta(days=100),
                    Gender="F",
                    IsHead=place == 0,
                    Phone="0712000001" if place == 0 else None,
                    Relationship=None if place == 0 else relation,
                    status="AC",
                    isOffline=False,
                    AuditUserID=_CLERK,
                )
            )
        await self._connection.execute(
            'UPDATE "tblFamilies" SET "InsureeID" = $2 WHERE "FamilyID" = $1', family, heads[0]
        )
        return family

    async def _add(self, table: str, key: str, **values: Any) -> int:
        row = {**self._row, **values}
        names = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join(f"${number}" for number in range(1, len(row) + 1))
        made: int = await self._connection.fetchval(
            f'INSERT INTO "{table}" ({names}) VALUES ({marks}) RETURNING "{key}"', *row.values()
        )
        return made
