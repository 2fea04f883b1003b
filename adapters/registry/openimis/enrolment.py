"""Writing policies and premiums, row for row as openIMIS' own services would.

A full premium leaves: the premium, one history row of the policy (openIMIS save_history), new status and effective date
on the live row without touching its ValidityFrom, and dates on the coverage rows without history (openIMIS
premium_updated, activate_insurees). ``add_premium`` writes the first two and ``activate`` the others.
"""

from __future__ import annotations

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

from adapters.registry.openimis.connected import Connected
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
        self.policy_history = _history_of(policies, "PolicyUUID")
        self.renewal_history = _history_of(renewals, "RenewalUUID")
        self.receipt_used = (
            select(premiums.c.PremiumId)
            .select_from(premiums.join(policies, policies.c.PolicyID == premiums.c.PolicyID))
            .where(
                premiums.c.Receipt == bindparam("receipt"),
                premiums.c.ValidityTo.is_(None),
                policies.c.ProdID == bindparam("product_id"),
            )
            .limit(1)
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
        self.open_prompts = select(renewals.c.RenewalID).where(
            renewals.c.PolicyID == bindparam("policy_id"), renewals.c.ValidityTo.is_(None)
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


def _of_the_policy(policies: Table, column: str) -> ColumnElement[Any]:
    return select(policies.c[column]).where(policies.c.PolicyID == bindparam("policy_id")).scalar_subquery()


class Enrolment(Connected):
    """The part of the registry that writes cover."""

    async def receipt_is_used(self, product_id: int, receipt: str) -> bool:
        """Whether a live premium on any policy of this product, live or not, carries the receipt."""
        values = {"product_id": product_id, "receipt": fitting(self._sql.enrolment.premiums.c.Receipt, receipt)}
        return (await self._connection.execute(self._sql.enrolment.receipt_used, values)).first() is not None

    async def add_policy(self, policy: NewPolicy, now: datetime) -> int:
        """Insert an idle policy without effective date, and one coverage row per insuree; the new PolicyID."""
        values = {
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
            **self._written(now),
        }
        policy_id = await self._insert(self._sql.enrolment.policies, values)
        if policy.insuree_ids:
            covered = {
                "PolicyId": policy_id,
                "EnrollmentDate": policy.enroll_date,
                "StartDate": policy.start_date,
                "ExpiryDate": policy.expiry_date,
                **self._written(now),
            }
            rows = [{"InsureeID": insuree_id, **covered} for insuree_id in policy.insuree_ids]
            await self._connection.execute(insert(self._sql.enrolment.insuree_policies), rows)
        return policy_id

    async def add_premium(self, policy_id: int, premium: NewPremium, now: datetime) -> int:
        """Insert the premium and keep the policy's present state as a history row; the new PremiumId.

        A receipt longer than its column is cut, as ``receipt_is_used`` cuts it: two that differ beyond it count as one.
        """
        values = {
            "PremiumUUID": new_uuid(),
            "PolicyID": policy_id,
            "Amount": premium.amount.to_decimal(),
            "Receipt": fitting(self._sql.enrolment.premiums.c.Receipt, premium.receipt),
            "PayDate": premium.pay_date,
            "PayType": premium.pay_type,
            "isPhotoFee": False,  # NULL would not be summed
            "CreatedDate": now,
            **self._written(now),
        }
        premium_id = await self._insert(self._sql.enrolment.premiums, values)
        await self.keep_history(policy_id, now)
        return premium_id

    async def activate(self, policy_id: int, activation: Activation) -> None:
        """Put status and effective date on the policy, and its dates on the live coverage rows."""
        values = {"policy_id": policy_id, "effective": activation.effective_date}
        await self._connection.execute(self._sql.enrolment.activate, {**values, "status": int(activation.status)})
        await self._connection.execute(self._sql.enrolment.activate_insurees, values)

    async def move_policy(self, policy_id: int, period: Period) -> None:
        """Put other days on a policy and its live coverage rows; it becomes effective on the first."""
        values = {"policy_id": policy_id, "start": period.start, "expiry": period.expiry}
        await self._connection.execute(self._sql.enrolment.move, values)
        await self._connection.execute(self._sql.enrolment.move_insurees, values)

    async def keep_history(self, policy_id: int, now: datetime) -> None:
        """Keep the policy's present state as a history row, before it is changed otherwise than by a premium."""
        history = {"row_id": policy_id, "history_uuid": new_uuid(), "ended": now}
        await self._connection.execute(self._sql.enrolment.policy_history, history)

    async def close_renewal_prompts(self, policy_id: int, now: datetime) -> None:
        """Retire the open prompts of the policy that has just been renewed, so that officers stop asking.

        The modular openIMIS retires the row (delete_history: history copy, ValidityFrom = ValidityTo = now) and leaves
        the response empty; the legacy one writes only ResponseStatus and ResponseDate and leaves the row live. Both are
        written here, so that either's screens show a renewed policy.
        """
        open_prompts = (
            (await self._connection.execute(self._sql.enrolment.open_prompts, {"policy_id": policy_id})).scalars().all()
        )
        for row_id in open_prompts:
            await self._connection.execute(
                self._sql.enrolment.renewal_history, {"row_id": row_id, "history_uuid": new_uuid(), "ended": now}
            )
            await self._connection.execute(self._sql.enrolment.retire_prompt, {"row_id": row_id, "ended": now})

    def _written(self, now: datetime) -> dict[str, object]:
        return {"isOffline": False, "ValidityFrom": now, "AuditUserID": self._audit_user_id}
