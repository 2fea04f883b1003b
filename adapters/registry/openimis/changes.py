"""Reading what changed in openIMIS' policies, whoever changed it.

openIMIS does not index ValidityFrom, and an activation does not touch it. But what it writes leaves a new row: a
policy, a premium, or the history copy that each change makes first. So new keys are followed; each names its policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import bindparam, false, func, select

from adapters.registry.openimis.connected import Connected
from adapters.registry.openimis.mapping import Tables
from gateway.domain.policy import PolicyStatus
from gateway.ports import LastPremium, Trace, Traced


class ChangeSql:
    """The statements of this part, over one installation's tables."""

    def __init__(self, t: Tables) -> None:
        policies, premiums = t.policies, t.premiums
        self.traces = {
            Traced.POLICIES: select(policies.c.PolicyID, func.coalesce(policies.c.LegacyID, policies.c.PolicyID))
            .where(policies.c.PolicyID > bindparam("after"))
            .order_by(policies.c.PolicyID)
            .limit(bindparam("page")),
            Traced.PREMIUMS: select(premiums.c.PremiumId, premiums.c.PolicyID)
            .where(premiums.c.PremiumId > bindparam("after"))
            .order_by(premiums.c.PremiumId)
            .limit(bindparam("page")),
        }
        self.newest = {
            Traced.POLICIES: select(func.max(policies.c.PolicyID)),
            Traced.PREMIUMS: select(func.max(premiums.c.PremiumId)),
        }
        self.last_premium = select(
            func.max(premiums.c.PayDate, type_=premiums.c.PayDate.type),
            func.max(premiums.c.ValidityFrom, type_=premiums.c.ValidityFrom.type),
        ).where(
            premiums.c.PolicyID == bindparam("policy_id"),
            premiums.c.ValidityTo.is_(None),
            premiums.c.isPhotoFee == false(),
        )
        self.expiring = (
            select(policies.c.PolicyID)
            .where(
                policies.c.PolicyID > bindparam("after"),
                policies.c.ValidityTo.is_(None),
                policies.c.PolicyStatus.in_((PolicyStatus.ACTIVE.value, PolicyStatus.READY.value)),
                policies.c.ExpiryDate.between(bindparam("first"), bindparam("last")),
            )
            .order_by(policies.c.PolicyID)
            .limit(bindparam("page"))
        )


class Changes(Connected):
    """The part of the registry that tells what was done there."""

    async def traces(self, of: Traced, after: int, limit: int) -> Sequence[Trace]:
        """Rows beyond a place, in their order, with the live policy that each is about."""
        rows = await self._connection.execute(self._sql.changes.traces[of], {"after": after, "page": limit})
        return [Trace(place, policy_id) for place, policy_id in rows]

    async def newest(self, of: Traced) -> int:
        """The highest place there is; 0 where there is none."""
        return int((await self._connection.execute(self._sql.changes.newest[of])).scalar_one() or 0)

    async def last_premium(self, policy_id: int) -> LastPremium | None:
        """When the newest live premium of a policy was paid and entered, photo fees aside; None without one."""
        paid_on, entered_at = (
            await self._connection.execute(self._sql.changes.last_premium, {"policy_id": policy_id})
        ).one()
        return None if paid_on is None else LastPremium(paid_on, entered_at)

    async def expiring(self, first: date, last: date, after_policy_id: int, limit: int) -> Sequence[int]:
        """Live paid policies whose last day is within these, by PolicyID. No index helps: once a day is enough."""
        values = {"first": first, "last": last, "after": after_policy_id, "page": limit}
        return list((await self._connection.execute(self._sql.changes.expiring, values)).scalars())
