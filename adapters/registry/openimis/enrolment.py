"""Writing policies and premiums, row for row as openIMIS' own services would.

A full premium leaves: the premium, one history row of the policy (openIMIS save_history), new status and effective date
on the live row without touching its ValidityFrom, and dates on the coverage rows without history (openIMIS
premium_updated, activate_insurees). ``add_premium`` writes the first two and ``activate`` the others.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Insert,
    Table,
    bindparam,
    insert,
    select,
    update,
)

from adapters.registry.openimis.connected import Connected, padded
from adapters.registry.openimis.mapping import Tables
from adapters.registry.openimis.tables import fitting
from adapters.registry.openimis.types import new_uuid
from gateway.domain.clock import eat_day
from gateway.domain.periods import Period
from gateway.domain.policy import NewPolicy, NewPremium, PolicyStatus
from gateway.domain.settlement import Activation

RENEWED = 1  # tblPolicyRenewals.ResponseStatus


def _history_of(table: Table, uuid_column: str) -> Insert:
    """Copy a live row as openIMIS save_history does: new key, new UUID, ValidityTo now, LegacyID the live row's key."""
    (key,) = table.primary_key.columns
    changed: dict[str, ColumnElement[Any]] = {
        uuid_column: bindparam("history_uuid", type_=table.c[uuid_column].type),
        "ValidityTo": bindparam("ended", type_=table.c.ValidityTo.type),
        "LegacyID": key,
    }
    names = [column.name for column in table.columns if column is not key]
    copy = select(*(changed.get(name, table.c[name]) for name in names)).where(key == bindparam("row_id"))
    return insert(table).from_select(names, copy)


class EnrolmentSql:
    """The statements of this part, over one installation's tables."""

    def __init__(self, t: Tables) -> None:
        policies, premiums, renewals, insuree_policies = t.policies, t.premiums, t.renewals, t.insuree_policies
        self.policies, self.premiums, self.insuree_policies = policies, premiums, insuree_policies
        self.cover = insert(insuree_policies)
        self.policy_history = _history_of(policies, "PolicyUUID")
        self.renewal_history = _history_of(renewals, "RenewalUUID")
        self.receipts_used = (
            select(policies.c.ProdID, premiums.c.Receipt)
            .select_from(premiums.join(policies, policies.c.PolicyID == premiums.c.PolicyID))
            .where(
                premiums.c.Receipt.in_(bindparam("receipts", expanding=True)),
                premiums.c.ValidityTo.is_(None),
                policies.c.ProdID.in_(bindparam("product_ids", expanding=True)),
            )
            .distinct()
        )
        self.activate = (
            update(policies)
            .where(policies.c.PolicyID == bindparam("policy_id"), policies.c.ValidityTo.is_(None))
            .values(PolicyStatus=bindparam("status"), EffectiveDate=bindparam("effective"))
        )
        self.activate_insurees = (
            update(insuree_policies)
            .where(insuree_policies.c.PolicyId == bindparam("policy_id"), insuree_policies.c.ValidityTo.is_(None))
            .values(
                EffectiveDate=bindparam("effective"),
                StartDate=_of_the_policy(policies, "StartDate"),
                ExpiryDate=_of_the_policy(policies, "ExpiryDate"),
            )
        )
        days: dict[str, Any] = {
            "StartDate": bindparam("start"),
            "EffectiveDate": bindparam("start"),
            "ExpiryDate": bindparam("expiry"),
        }
        self.move = (
            update(policies)
            .where(policies.c.PolicyID == bindparam("policy_id"), policies.c.ValidityTo.is_(None))
            .values(days)
        )
        self.move_insurees = (
            update(insuree_policies)
            .where(insuree_policies.c.PolicyId == bindparam("policy_id"), insuree_policies.c.ValidityTo.is_(None))
            .values(days)
        )
        self.open_prompts = (
            select(renewals.c.RenewalID)
            .where(renewals.c.PolicyID.in_(bindparam("policy_ids", expanding=True)), renewals.c.ValidityTo.is_(None))
            .order_by(renewals.c.RenewalID)
        )
        self.retire_prompt = (
            update(renewals)
            .where(renewals.c.RenewalID == bindparam("row_id"))
            .values(
                ValidityFrom=bindparam("ended"),
                ValidityTo=bindparam("ended"),
                ResponseStatus=RENEWED,
                ResponseDate=bindparam("ended"),
            )
        )


def _caseless(product_id: int, receipt: str) -> tuple[int, str]:
    return product_id, receipt.rstrip().casefold()


def _of_the_policy(policies: Table, column: str) -> ColumnElement[Any]:
    return select(policies.c[column]).where(policies.c.PolicyID == bindparam("policy_id")).scalar_subquery()


class Enrolment(Connected):
    """The part of the registry that writes cover."""

    async def receipt_is_used(self, product_id: int, receipt: str) -> bool:
        """Whether a live premium on any policy of this product, live or not, carries the receipt."""
        return bool(await self.receipts_used([(product_id, receipt)]))

    async def receipts_used(self, receipts: Sequence[tuple[int, str]]) -> Collection[tuple[int, str]]:
        """Which of these (product, receipt) stand on a live premium of any policy of the product, live or not."""
        column = self._sql.enrolment.premiums.c.Receipt
        written = {asked: (asked[0], fitting(column, asked[1]) or "") for asked in receipts}
        values = {
            "receipts": padded([receipt for _, receipt in written.values()]),
            "product_ids": padded(sorted({product_id for product_id, _ in written})),
        }
        found = {(row[0], row[1]) for row in await self._connection.execute(self._sql.enrolment.receipts_used, values)}
        # what this database holds for the same receipt may be spelt in other letters: SQL Server's collation decides
        others = {_caseless(*row) for row in found - set(written.values())}
        return {
            asked for asked, as_written in written.items() if as_written in found or _caseless(*as_written) in others
        }

    async def add_policy(self, policy: NewPolicy, now: datetime) -> int:
        """Insert an idle policy without effective date, and one coverage row per insuree; the new PolicyID."""
        return (await self.add_policies([policy], now))[0]

    async def add_policies(self, policies: Sequence[NewPolicy], now: datetime) -> Sequence[int]:
        """The same of many; the PolicyIDs in their order."""
        written = self._written(now)
        rows = [
            {
                "PolicyUUID": new_uuid(),
                "FamilyID": policy.family_id,
                "ProdID": policy.product_id,
                "OfficerID": policy.officer_id,
                "PolicyStage": policy.stage,
                "PolicyStatus": PolicyStatus.IDLE.value,
                "PolicyValue": policy.value.to_decimal(),
                "EnrollDate": policy.enroll_date,
                "StartDate": policy.start_date,
                "ExpiryDate": policy.expiry_date,
                "creationDate": eat_day(now),
                **written,
            }
            for policy in policies
        ]
        policy_ids = await self._insert_all(self._sql.enrolment.policies, rows)
        covered = [
            {
                "InsureeID": insuree_id,
                "PolicyId": policy_id,
                "EnrollmentDate": policy.enroll_date,
                "StartDate": policy.start_date,
                "ExpiryDate": policy.expiry_date,
                **written,
            }
            for policy_id, policy in zip(policy_ids, policies, strict=True)
            for insuree_id in policy.insuree_ids
        ]
        if covered:
            await self._connection.execute(self._sql.enrolment.cover, covered)
        return policy_ids

    async def add_premium(self, policy_id: int, premium: NewPremium, now: datetime) -> int:
        """Insert the premium and keep the policy's present state as a history row; the new PremiumId.

        A receipt longer than its column is cut, as ``receipt_is_used`` cuts it: two that differ beyond it count as one.
        """
        return (await self.add_premiums([(policy_id, premium)], now))[0]

    async def add_premiums(self, premiums: Sequence[tuple[int, NewPremium]], now: datetime) -> Sequence[int]:
        """The same of many (policy, premium); the PremiumIds in their order."""
        table, written = self._sql.enrolment.premiums, self._written(now)
        rows = [
            {
                "PremiumUUID": new_uuid(),
                "PolicyID": policy_id,
                "Amount": premium.amount.to_decimal(),
                "Receipt": fitting(table.c.Receipt, premium.receipt),
                "PayDate": premium.pay_date,
                "PayType": premium.pay_type,
                "isPhotoFee": False,  # NULL would not be summed
                "CreatedDate": now,
                **written,
            }
            for policy_id, premium in premiums
        ]
        premium_ids = await self._insert_all(table, rows)
        await self._keep_histories([policy_id for policy_id, _ in premiums], now)
        return premium_ids

    async def activate(self, policy_id: int, activation: Activation) -> None:
        """Put status and effective date on the policy, and its dates on the live coverage rows."""
        await self.activate_all([(policy_id, activation)])

    async def activate_all(self, activations: Sequence[tuple[int, Activation]]) -> None:
        """The same of many policies."""
        effective = [{"policy_id": policy_id, "effective": a.effective_date} for policy_id, a in activations]
        with_status = [
            {**values, "status": int(a.status)} for values, (_, a) in zip(effective, activations, strict=True)
        ]
        await self._connection.execute(self._sql.enrolment.activate, with_status)
        await self._connection.execute(self._sql.enrolment.activate_insurees, effective)

    async def move_policy(self, policy_id: int, period: Period) -> None:
        """Put other days on a policy and its live coverage rows; it becomes effective on the first."""
        values = {"policy_id": policy_id, "start": period.start, "expiry": period.expiry}
        await self._connection.execute(self._sql.enrolment.move, values)
        await self._connection.execute(self._sql.enrolment.move_insurees, values)

    async def keep_history(self, policy_id: int, now: datetime) -> None:
        """Keep the policy's present state as a history row, before it is changed otherwise than by a premium."""
        await self._keep_histories([policy_id], now)

    async def _keep_histories(self, policy_ids: Sequence[int], now: datetime) -> None:
        rows = [{"row_id": policy_id, "history_uuid": new_uuid(), "ended": now} for policy_id in policy_ids]
        await self._connection.execute(self._sql.enrolment.policy_history, rows)

    async def close_renewal_prompts(self, policy_id: int, now: datetime) -> None:
        """Retire the open prompts of the policy that has just been renewed, so that officers stop asking.

        The modular openIMIS retires the row (delete_history: history copy, ValidityFrom = ValidityTo = now) and leaves
        the response empty; the legacy one writes only ResponseStatus and ResponseDate and leaves the row live. Both are
        written here, so that either's screens show a renewed policy.
        """
        await self.close_prompts_of([policy_id], now)

    async def close_prompts_of(self, policy_ids: Sequence[int], now: datetime) -> None:
        """The same of many policies."""
        values = {"policy_ids": padded(policy_ids)}
        found = (await self._connection.execute(self._sql.enrolment.open_prompts, values)).scalars().all()
        if found:
            histories = [{"row_id": row_id, "history_uuid": new_uuid(), "ended": now} for row_id in found]
            await self._connection.execute(self._sql.enrolment.renewal_history, histories)
            retired = [{"row_id": row_id, "ended": now} for row_id in found]
            await self._connection.execute(self._sql.enrolment.retire_prompt, retired)

    def _written(self, now: datetime) -> dict[str, object]:
        return {"isOffline": False, "ValidityFrom": now, "AuditUserID": self._audit_user_id}
