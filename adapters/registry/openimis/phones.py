"""Reading phones as they are spelt, for the gateway's own index of normalised numbers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, bindparam, case, or_, select

from adapters.registry.openimis.connected import Connected
from adapters.registry.openimis.people import live_insuree
from adapters.registry.openimis.tables import insurees
from gateway.domain.chfid import FUNDING
from gateway.ports import PhoneRow

_PHONES = (
    select(insurees.c.InsureeID, insurees.c.FamilyID, insurees.c.Phone, insurees.c.ValidityFrom)
    .where(
        insurees.c.InsureeID > bindparam("after"),
        live_insuree,
        insurees.c.FamilyID.is_not(None),
        insurees.c.Phone.is_not(None),
        insurees.c.Phone != "",
    )
    .order_by(insurees.c.InsureeID)
    .limit(bindparam("page"))
)

_changed_at = case((insurees.c.ValidityTo.is_(None), insurees.c.ValidityFrom), else_=insurees.c.ValidityTo)

# History rows name their live row in LegacyID; a row without it that has ended is an insuree who was deleted.
_CHANGED = (
    select(
        insurees.c.InsureeID,
        insurees.c.FamilyID,
        insurees.c.Phone,
        insurees.c.ValidityTo,
        _changed_at.label("ChangedAt"),
    )
    .where(
        or_(
            and_(insurees.c.ValidityTo.is_(None), insurees.c.ValidityFrom >= bindparam("since")),
            and_(insurees.c.LegacyID.is_(None), insurees.c.ValidityTo >= bindparam("since")),
        ),
        or_(_changed_at > bindparam("since"), insurees.c.InsureeID > bindparam("after")),
        or_(insurees.c.CHFID.is_(None), insurees.c.CHFID != FUNDING),
    )
    .order_by(_changed_at, insurees.c.InsureeID)
    .limit(bindparam("page"))
)


class Phones(Connected):
    """The part of the registry that knows phones."""

    async def phones(self, after_insuree_id: int, limit: int) -> Sequence[PhoneRow]:
        """Live insurees of a family with a phone, by InsureeID, a page at a time."""
        rows = await self._connection.execute(_PHONES, {"after": after_insuree_id, "page": limit})
        return [PhoneRow(*row) for row in rows]

    async def phones_changed(self, since: datetime, after_insuree_id: int, limit: int) -> Sequence[PhoneRow]:
        """Insurees changed after ``since``, or at it with a higher id; oldest change first.

        A dead, emptied or familyless phone reads ``''``; a missing family reads 0.
        """
        rows = await self._connection.execute(_CHANGED, {"since": since, "after": after_insuree_id, "page": limit})
        return [
            PhoneRow(
                insuree_id,
                family_id or 0,
                phone if phone and family_id is not None and ended is None else "",
                changed_at,
            )
            for insuree_id, family_id, phone, ended, changed_at in rows
        ]
