"""Reading policies with what was paid on them: for the first screen (batched and hot), and for one family."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, and_, bindparam, cast, false, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from adapters.registry.openimis.connected import padded
from adapters.registry.openimis.mapping import Tables
from adapters.registry.openimis.people import People, live_insuree
from gateway.domain.family_payment import Receipt
from gateway.domain.members import Coverage
from gateway.domain.money import Money
from gateway.domain.policy import NEW, Policy, PolicyStatus
from gateway.ports import InsureeCover

_NOTHING = Money(0)
_KNOWN = frozenset(PolicyStatus)
_NOBODY = ("", "")


class CoverSql:
    """The statements of this part, over one installation's tables."""

    def __init__(self, t: Tables) -> None:
        self._t = t
        policies, premiums = t.policies, t.premiums
        self._policy_columns = (
            policies.c.PolicyID,
            policies.c.FamilyID,
            policies.c.ProdID,
            policies.c.PolicyStatus,
            policies.c.PolicyStage,
            policies.c.EnrollDate,
            policies.c.StartDate,
            policies.c.EffectiveDate,
            policies.c.ExpiryDate,
            policies.c.PolicyValue,
            policies.c.OfficerID,
            premiums.c.Amount,
        )
        # A premium with isPhotoFee NULL is not summed: openIMIS premium_updated filters on false. One row per premium
        # and the sum in Python, so that it is exact on SQLite too; a policy has one premium, seldom more.
        self._premium_of_policy = and_(
            premiums.c.PolicyID == policies.c.PolicyID,
            premiums.c.ValidityTo.is_(None),
            premiums.c.isPhotoFee == false(),
        )
        held = select(*self._policy_columns).select_from(policies.outerjoin(premiums, self._premium_of_policy))
        self.policies_of = held.where(
            policies.c.FamilyID.in_(bindparam("ids", expanding=True)), policies.c.ValidityTo.is_(None)
        )
        self.policies_by_id = held.where(
            policies.c.PolicyID.in_(bindparam("ids", expanding=True)), policies.c.ValidityTo.is_(None)
        )
        self.covers = self._covers(t.insurees.c.InsureeID.in_(bindparam("ids", expanding=True)))
        # The subquery hides the array's length from PostgreSQL's planner: a generic plan then looks as cheap as a
        # custom one and is kept from the sixth call on. Planning these joins anew costs three times their execution.
        hidden_ids = cast(select(bindparam("ids", type_=ARRAY(Integer))).scalar_subquery(), ARRAY(Integer))
        self.covers_postgresql = self._covers(t.insurees.c.InsureeID == func.any(hidden_ids))

        rows, insurees = t.insuree_policies, t.insurees
        self.coverages = (
            select(rows.c.InsureeID, rows.c.PolicyId, rows.c.StartDate, rows.c.EffectiveDate, rows.c.ExpiryDate)
            .select_from(
                rows.join(policies, policies.c.PolicyID == rows.c.PolicyId).join(
                    insurees, insurees.c.InsureeID == rows.c.InsureeID
                )
            )
            .where(
                policies.c.FamilyID == bindparam("family_id"),
                insurees.c.FamilyID == policies.c.FamilyID,
                policies.c.ValidityTo.is_(None),
                rows.c.ValidityTo.is_(None),
                live_insuree(insurees),
            )
            .order_by(rows.c.PolicyId, rows.c.InsureeID, rows.c.InsureePolicyID)
        )

        self.receipts = (
            select(premiums.c.Amount, premiums.c.Receipt, premiums.c.PayDate)
            .select_from(premiums.join(policies, self._premium_of_policy))
            .where(policies.c.FamilyID == bindparam("family_id"), policies.c.ValidityTo.is_(None))
            .order_by(premiums.c.PayDate.desc(), premiums.c.PremiumId.desc())
            .limit(bindparam("page"))
        )

    def _covers(self, chosen: ColumnElement[bool]) -> Select[Any]:
        insurees, families, policies, premiums = (
            self._t.insurees,
            self._t.families,
            self._t.policies,
            self._t.premiums,
        )
        head = insurees.alias("head")
        head_of_family = and_(
            head.c.InsureeID == families.c.InsureeID,
            head.c.FamilyID == families.c.FamilyID,
            head.c.ValidityTo.is_(None),
        )
        live_family = and_(families.c.FamilyID == insurees.c.FamilyID, families.c.ValidityTo.is_(None))
        live_policy = and_(policies.c.FamilyID == families.c.FamilyID, policies.c.ValidityTo.is_(None))
        return (
            select(
                insurees.c.InsureeID,
                insurees.c.Phone,
                families.c.FamilyID.label("LiveFamilyID"),
                head.c.InsureeID.label("HeadID"),
                head.c.CHFID,
                head.c.OtherNames,
                head.c.LastName,
                *self._policy_columns,
            )
            .select_from(
                insurees.join(families, live_family)
                .outerjoin(head, head_of_family)
                .outerjoin(policies, live_policy)
                .outerjoin(premiums, self._premium_of_policy)
            )
            .where(chosen, live_insuree(insurees))
        )


class Covers(People):
    """The part of the registry that says what a family holds."""

    async def insuree_covers(self, insuree_ids: Sequence[int]) -> Sequence[InsureeCover]:
        """Live insurees with their families' policies, by InsureeID; the missing and the dead are left out.

        One statement; a second one only where a family's head is missing.
        """
        if not insuree_ids:
            return ()
        sql = self._sql.covers
        statement = sql.covers_postgresql if self._connection.dialect.name == "postgresql" else sql.covers
        rows_of: dict[int, list[Any]] = {}
        for row in await self._connection.execute(statement, {"ids": list(insuree_ids)}):
            rows_of.setdefault(row[0], []).append(row)
        heads: dict[int, tuple[str, str]] = {}
        headless = {rows[0][2] for rows in rows_of.values() if rows[0][3] is None}
        if headless:
            heads = await self._stand_in_heads(headless)
        policies_of: dict[int, tuple[Policy, ...]] = {}
        covers = []
        for insuree_id in sorted(rows_of):
            rows = rows_of[insuree_id]
            _, phone, family_id, head_id, chfid, other_names, last_name = rows[0][:7]
            held = policies_of.get(family_id)
            if held is None:
                held = policies_of[family_id] = _policies(row[7:] for row in rows)
            head = (chfid or "", f"{other_names} {last_name}") if head_id is not None else heads.get(family_id, _NOBODY)
            covers.append(InsureeCover(insuree_id, phone, family_id, head[0], head[1], held))
        return covers

    async def policies(self, family_id: int) -> tuple[Policy, ...]:
        """The live policies of a family, by PolicyID, with what was paid on each (photo fees aside)."""
        return await self.policies_of([family_id])

    async def policies_by_id(self, policy_ids: Sequence[int]) -> tuple[Policy, ...]:
        """The live policies among these, by PolicyID, with what was paid on each."""
        if not policy_ids:
            return ()
        return _policies(await self._connection.execute(self._sql.covers.policies_by_id, {"ids": list(policy_ids)}))

    async def policies_of(self, family_ids: Sequence[int]) -> tuple[Policy, ...]:
        """The live policies of these families, by PolicyID, with what was paid on each."""
        if not family_ids:
            return ()
        return _policies(await self._connection.execute(self._sql.covers.policies_of, {"ids": padded(family_ids)}))

    async def coverages(self, family_id: int) -> Sequence[Coverage]:
        """The live coverage rows of the family's live members under its live policies."""
        rows = await self._connection.execute(self._sql.covers.coverages, {"family_id": family_id})
        return [Coverage(*row) for row in rows]

    async def receipts(self, family_id: int, limit: int) -> Sequence[Receipt]:
        """The newest money of the family's live policies."""
        values = {"family_id": family_id, "page": limit}
        rows = await self._connection.execute(self._sql.covers.receipts, values)
        return [Receipt(Money.from_decimal(amount), number, day) for amount, number, day in rows]


def _policies(rows: Iterable[Any]) -> tuple[Policy, ...]:
    """Policies from rows of ``_POLICY_COLUMNS``, one row per premium; a row without PolicyID is no policy.

    Gaps in old data read as openIMIS' own column defaults do: no status is idle, no stage is new; no value is zero. A
    status that is none of openIMIS' five reads as suspended: no cover is promised and no money taken before an officer
    has looked.
    """
    found: dict[int, Any] = {}
    paid: dict[int, Money] = {}
    for row in rows:
        policy_id = row[0]
        if policy_id is None:
            continue
        amount = _NOTHING if row[11] is None else Money.from_decimal(row[11])
        if policy_id in found:
            paid[policy_id] += amount
        else:
            found[policy_id], paid[policy_id] = row, amount
    return tuple(_policy(found[policy_id], paid[policy_id]) for policy_id in sorted(found))


def _policy(row: Any, paid: Money) -> Policy:
    (policy_id, family_id, product_id, status, stage, enrolled, start, effective, expiry, value, officer_id, _) = row
    return Policy(
        policy_id,
        family_id,
        product_id,
        PolicyStatus.IDLE if status is None else status if status in _KNOWN else PolicyStatus.SUSPENDED,
        stage or NEW,
        enrolled,
        start,
        effective,
        expiry,
        _NOTHING if value is None else Money.from_decimal(value),
        paid,
        officer_id,
    )
