"""Reading families and their members, and holding a family for the length of a transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, bindparam, case, or_, select

from adapters.registry.openimis.connected import Connected, held, padded
from adapters.registry.openimis.mapping import Tables
from gateway.domain.chfid import FUNDING
from gateway.domain.policy import Family, Member

UNKNOWN_BIRTH = date(1900, 1, 1)  # a member without a birth date counts, and pays, as an adult


def live_insuree(insurees: Table) -> ColumnElement[bool]:
    """Live, and a person: openIMIS books funding on an insuree of its own."""
    return and_(insurees.c.ValidityTo.is_(None), or_(insurees.c.CHFID.is_(None), insurees.c.CHFID != FUNDING))


class PeopleSql:
    """The statements of this part, over one installation's tables."""

    def __init__(self, t: Tables) -> None:
        families, insurees = t.families, t.insurees
        village, ward, district, region = (t.locations.alias(n) for n in ("village", "ward", "district", "region"))
        self.family = (
            select(
                families.c.FamilyID,
                families.c.InsureeID,
                village.c.LocationId.label("Village"),
                ward.c.LocationId.label("Ward"),
                district.c.LocationId.label("District"),
                region.c.LocationId.label("Region"),
            )
            .select_from(
                families.outerjoin(village, village.c.LocationId == families.c.LocationId)
                .outerjoin(ward, ward.c.LocationId == village.c.ParentLocationId)
                .outerjoin(district, district.c.LocationId == ward.c.ParentLocationId)
                .outerjoin(region, region.c.LocationId == district.c.ParentLocationId)
            )
            .where(families.c.FamilyID.in_(bindparam("family_ids", expanding=True)), families.c.ValidityTo.is_(None))
        )
        self.members = (
            select(
                insurees.c.FamilyID,
                insurees.c.InsureeID,
                insurees.c.CHFID,
                insurees.c.LastName,
                insurees.c.OtherNames,
                insurees.c.DOB,
                insurees.c.Relationship,
                insurees.c.IsHead,
                insurees.c.Phone,
            )
            .where(insurees.c.FamilyID.in_(bindparam("family_ids", expanding=True)), live_insuree(insurees))
            .order_by(insurees.c.InsureeID)
        )
        self.family_of = (
            select(families.c.FamilyID)
            .select_from(insurees.join(families, families.c.FamilyID == insurees.c.FamilyID))
            .where(live_insuree(insurees), insurees.c["CHFID"] == bindparam("chfid"), families.c.ValidityTo.is_(None))
            .order_by(case((families.c.InsureeID == insurees.c.InsureeID, 0), else_=1), insurees.c.InsureeID)
            .limit(1)
        )
        self.first_members = (
            select(insurees.c.FamilyID, insurees.c.CHFID, insurees.c.OtherNames, insurees.c.LastName)
            .where(insurees.c.FamilyID.in_(bindparam("family_ids", expanding=True)), live_insuree(insurees))
            .order_by(insurees.c.IsHead.desc(), insurees.c.InsureeID)
        )
        self.officer_at = _officers_at(t.officers, t.officers.c.LocationId == bindparam("place"))
        self.officer_of_village = None
        if t.officer_villages is not None:
            villages = t.officer_villages
            has_village = select(villages.c.OfficerId).where(
                villages.c.LocationId == bindparam("place"), villages.c.ValidityTo.is_(None)
            )
            self.officer_of_village = _officers_at(t.officers, t.officers.c.OfficerID.in_(has_village))
        self.lock = held(
            select(families.c.FamilyID)
            .where(families.c.FamilyID.in_(bindparam("family_ids", expanding=True)), families.c.ValidityTo.is_(None))
            .order_by(families.c.FamilyID),  # two who hold several meet at the first
            families,
        )


def _officers_at(officers: Table, where: ColumnElement[bool]) -> Select[Any]:
    """The longest-known officer who still works; ``now`` is bound by the caller."""
    live = select(officers.c.OfficerID).where(where, officers.c.ValidityTo.is_(None))
    if "WorksTo" in officers.c:
        until = officers.c.WorksTo
        live = live.where(or_(until.is_(None), until >= bindparam("now", type_=until.type)))
    return live.order_by(officers.c.OfficerID).limit(1)


class People(Connected):
    """The part of the registry that knows families."""

    async def family(self, family_id: int) -> Family | None:
        """A live family with its live members; None where there is none, or nobody in it."""
        return (await self.families([family_id])).get(family_id)

    async def families(self, family_ids: Sequence[int]) -> Mapping[int, Family]:
        """The live families among these with their live members; those with nobody in them are left out."""
        values = {"family_ids": padded(family_ids)}
        rows = (await self._connection.execute(self._sql.people.family, values)).all()
        members: dict[int, list[Member]] = {}
        for family_id, *member in await self._connection.execute(self._sql.people.members, values):
            members.setdefault(family_id, []).append(_member(member))
        return {
            family_id: _family(family_id, head_id, members[family_id], places)
            for family_id, head_id, *places in rows
            if family_id in members
        }

    async def family_of(self, chfid: str) -> Family | None:
        """The live family of the live insuree with this number (a head's first where there are several)."""
        row = (await self._connection.execute(self._sql.people.family_of, {"chfid": chfid})).one_or_none()
        return await self.family(row[0]) if row is not None else None

    async def officer_near(self, location_ids: Sequence[int], now: datetime) -> int | None:
        """A working officer of the village, else of the most local place above it that has one.

        ``location_ids``: village first, as ``Family.location_ids``.
        """
        for place in location_ids:
            for statement in (self._sql.people.officer_of_village, self._sql.people.officer_at):
                if statement is None:
                    continue
                found = (await self._connection.execute(statement, {"place": place, "now": now})).scalar_one_or_none()
                if found is not None:
                    return int(found)
        return None

    async def lock_family(self, family_id: int) -> bool:
        """Hold the family's row to the end of the transaction; False when there is no live family."""
        return family_id in await self.lock_families([family_id])

    async def lock_families(self, family_ids: Sequence[int]) -> Collection[int]:
        """Hold the rows of these families, in the order of FamilyID; those that live."""
        values = {"family_ids": padded(family_ids)}
        return set((await self._connection.execute(self._sql.people.lock, values)).scalars())

    async def _stand_in_heads(self, family_ids: Collection[int]) -> dict[int, tuple[str, str]]:
        """Who speaks for a family whose head's row is dead or gone: a member marked as head, else the first one.

        Insurance number and full name for each family that has a live member.
        """
        heads: dict[int, tuple[str, str]] = {}
        for family_id, chfid, other_names, last_name in await self._connection.execute(
            self._sql.people.first_members, {"family_ids": list(family_ids)}
        ):
            heads.setdefault(family_id, (chfid or "", f"{other_names} {last_name}"))
        return heads


def _family(family_id: int, head_id: int, members: Sequence[Member], places: Sequence[int | None]) -> Family:
    """Its head is the one that its row names, else a member marked so, else the first."""
    head = next((m for m in members if m.insuree_id == head_id), None)
    head = head or next((m for m in members if m.is_head), members[0])
    return Family(family_id, head, tuple(members), tuple(place for place in places if place is not None))


def _member(row: Any) -> Member:
    insuree_id, chfid, last_name, other_names, born, relationship, is_head, phone = row
    return Member(
        insuree_id=insuree_id,
        chfid=chfid or "",
        last_name=last_name,
        other_names=other_names,
        date_of_birth=born or UNKNOWN_BIRTH,
        relationship=relationship,
        is_head=bool(is_head),
        phone=phone,
    )
