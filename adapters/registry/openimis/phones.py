"""Reading phones as they are spelt, for the gateway's own index of normalised numbers."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, func, select

from adapters.registry.openimis.connected import Connected
from adapters.registry.openimis.mapping import Tables
from adapters.registry.openimis.people import live_insuree
from gateway.domain.chfid import FUNDING
from gateway.ports import ChangedPhone, PhoneRow


class PhoneSql:
    """The statements of this part, over one installation's tables.

    What changed is found by the key and not by ValidityFrom, which openIMIS does not index: every change leaves a
    history row, whose new key is the highest, and whose LegacyID names the row that changed.
    """

    def __init__(self, t: Tables) -> None:
        insurees = t.insurees
        self.phones = (
            select(insurees.c.InsureeID, insurees.c.FamilyID, insurees.c.Phone)
            .where(
                insurees.c.InsureeID > bindparam("after"),
                live_insuree(insurees),
                insurees.c.FamilyID.is_not(None),
                insurees.c.Phone.is_not(None),
                insurees.c.Phone != "",
            )
            .order_by(insurees.c.InsureeID)
            .limit(bindparam("page"))
        )
        trace, live = insurees.alias("trace"), insurees.alias("live")
        self.changed = (
            select(
                trace.c.InsureeID,
                live.c.InsureeID.label("LiveID"),
                live.c.FamilyID,
                live.c.Phone,
                live.c.ValidityTo,
                live.c.CHFID,
            )
            .select_from(trace.join(live, live.c.InsureeID == func.coalesce(trace.c.LegacyID, trace.c.InsureeID)))
            .where(trace.c.InsureeID > bindparam("after"))
            .order_by(trace.c.InsureeID)
            .limit(bindparam("page"))
        )
        self.newest = select(func.max(insurees.c.InsureeID))


class Phones(Connected):
    """The part of the registry that knows phones."""

    async def phones(self, after_insuree_id: int, limit: int) -> Sequence[PhoneRow]:
        """Live insurees of a family with a phone, by InsureeID, a page at a time."""
        rows = await self._connection.execute(self._sql.phones.phones, {"after": after_insuree_id, "page": limit})
        return [PhoneRow(*row) for row in rows]

    async def phones_changed(self, after: int, limit: int) -> Sequence[ChangedPhone]:
        """Changes to insurees beyond a place, in their order. A dead, emptied or familyless phone reads ``''``."""
        rows = await self._connection.execute(self._sql.phones.changed, {"after": after, "page": limit})
        return [
            ChangedPhone(
                place,
                PhoneRow(
                    insuree_id,
                    family_id or 0,
                    phone if phone and family_id is not None and ended is None and chfid != FUNDING else "",
                ),
            )
            for place, insuree_id, family_id, phone, ended, chfid in rows
        ]

    async def newest_insuree(self) -> int:
        """The highest InsureeID there is, history rows included; 0 in an empty registry."""
        return int((await self._connection.execute(self._sql.phones.newest)).scalar_one() or 0)
