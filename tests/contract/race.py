"""Rounds of a race: openIMIS writes in its own process between two statements of ours. And what must hold then."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import asyncpg
import openimis_process
from openimis_process import OpenImis, OpenImisError
from sqlalchemy import event
from sqlalchemy.util import await_only

from gateway.domain.bill import Bill, BillFact
from gateway.domain.clock import eat_day
from gateway.domain.money import Money
from gateway.domain.payments import PaymentReport
from gateway.domain.quote import Quote
from gateway.domain.ussd.effects import RequestBill
from gateway.ports import Evidence, Verdict
from gateway.service.follow_policies import FollowPolicies
from gateway.service.messages import Messages
from gateway.service.quotes import read_quote
from gateway.service.request_control_number import BillPolicy, RequestControlNumber
from gateway.service.settle_entries import SettleEntries
from gateway.store.database import Database

# Families of the demo that the rounds' families are copies of.
NEVER_PAID, EXPIRED = 5, 3
_APART = 1_000  # between the keys of one copy and the next; the demo's own are below
_BOUND_S = 2.0  # nobody is waited for longer than that: neither has an answer come nor is a lock waited for
PRICE, HALF, LITTLE = "30000.00", "15000.00", "1000.00"


class Kind(StrEnum):
    """What an officer does while our transaction is open."""

    HALVES = "halves"  # pays half of the idle policy, of which our payment is the other half
    FULL = "full on full"  # pays all of it, as our payment does
    RENEWAL = "renewal"  # renews and pays, while our payment makes the renewal
    ENFORCE = "enforce"  # activates it for little money
    SUSPEND = "suspend"  # takes little money and suspends it
    REQUEST = "request"  # pays all of it while the family asks for its control number


@dataclass
class Clock:
    """openIMIS tells the real time, so do we; but ours can be put forward, and back."""

    ahead: timedelta = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Family:
    """One round's: never used again."""

    id: int
    policy_id: int  # the idle one, or the one to renew
    kind: Kind
    atomic: bool = False  # whether openIMIS commits its premium as a whole, or each statement of it
    bill: Bill | None = None
    reference: str = ""


@dataclass
class Tally:
    """What was seen of one kind."""

    rounds: int = 0
    waited: int = 0  # openIMIS had to wait for a lock of ours
    refused: Counter[str] = field(default_factory=Counter)  # what openIMIS said no with
    again: int = 0  # our transaction was tried once more
    left: Counter[str] = field(default_factory=Counter)  # what the interleaving left behind
    repaired: Counter[str] = field(default_factory=Counter)  # audit rows


class Between:
    """Fires once, before statement number ``at`` of our next transaction, or before its COMMIT if that comes first."""

    def __init__(self, database: Database) -> None:
        self._fire: Callable[[], Awaitable[None]] | None = None
        self._at = self.statements = 0
        engine = database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", self._statement)
        event.listen(engine, "commit", self._commit)

    def arm(self, at: int, fire: Callable[[], Awaitable[None]]) -> None:
        self._at, self._fire, self.statements = at, fire, 0

    def _statement(self, *_: Any) -> None:
        self.statements += 1
        if self.statements == self._at:
            self._go()

    def _commit(self, _: Any) -> None:
        self._go()

    def _go(self) -> None:
        if self._fire is not None:
            fire, self._fire = self._fire, None
            await_only(fire())


class Race:
    """The gateway's services on openIMIS' database, and openIMIS' own code beside them."""

    def __init__(
        self, database: Database, beside: asyncpg.Connection, openimis: OpenImis, messages: Messages, seed: int
    ) -> None:
        self.random = random.Random(seed)
        self.clock = Clock()
        self.database, self.beside, self._openimis = database, beside, openimis
        self._settle = SettleEntries(database, messages, self.clock)
        self._request = RequestControlNumber(database, messages, BillPolicy())
        self.follow = FollowPolicies(database, self.clock, messages)
        self.between = Between(database)
        self._thread = ThreadPoolExecutor(1)
        self._answer: asyncio.Future[None] | None = None
        self._statements: dict[bool, int] = {True: 12, False: 12}  # of a request, of a settlement: as last seen
        self.families: dict[int, Family] = {}
        self.tally = {(kind, atomic): Tally() for kind in Kind for atomic in (False, True)}
        self._numbers = 0

    def close(self) -> None:
        self._thread.shutdown()

    def _tally(self, family: Family) -> Tally:
        return self.tally[family.kind, family.atomic]

    # ---- one round

    async def round(self, family: Family) -> None:
        family.atomic = self.random.random() < 0.5
        self.families[family.id] = family
        self._tally(family).rounds += 1
        asks = family.kind == Kind.REQUEST
        if not asks:
            family.bill = await self._ask(family)
            await self._report(family)
        try:
            if asks:
                family.bill = await self._ask(family)
            else:
                self._arm(family)
                assert await self._settle.one()
                self._learn(family)
        finally:
            if self._answer is not None:
                await self._answer
                self._answer = None
        await self._settle_the_rest(family)

    def _arm(self, family: Family) -> None:
        """Any of the gaps before our statements, and the one before COMMIT."""
        gaps = self._statements[family.kind == Kind.REQUEST] + 1
        self.between.arm(self.random.randint(1, gaps), lambda: self._beside(family))

    def _learn(self, family: Family) -> None:
        asks = family.kind == Kind.REQUEST
        self._statements[asks] = max(self._statements[asks], self.between.statements)

    async def _beside(self, family: Family) -> None:
        """Start openIMIS' operation; go on when it has answered, or waits for a lock that we hold."""
        loop = asyncio.get_running_loop()
        answer = loop.run_in_executor(self._thread, self._officer, family)
        self._answer = asyncio.ensure_future(answer)
        end = loop.time() + _BOUND_S
        while not (await asyncio.wait({answer}, timeout=0.004))[0]:
            waits = await self.beside.fetchval(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()"
            )
            if waits or loop.time() > end:
                self._tally(family).waited += 1
                return

    def _officer(self, family: Family) -> None:
        """In a thread of its own: the driver answers one line for one line."""
        # openIMIS' own day, which is UTC's: from midnight to three in East Africa it refuses ours as one to come
        day, policy_id = self.clock.now().date().isoformat(), family.policy_id
        amount = {Kind.HALVES: HALF, Kind.ENFORCE: LITTLE, Kind.SUSPEND: LITTLE}.get(family.kind, PRICE)
        action = {Kind.ENFORCE: "ENFORCE", Kind.SUSPEND: "SUSPEND"}.get(family.kind)
        try:
            if family.kind == Kind.RENEWAL:
                policy_id = self._openimis("renew_policy", policy=policy_id, enroll_date=day)["id"]
            self._openimis(
                "premium",
                atomic=family.atomic,
                policy=policy_id,
                amount=amount,
                receipt=f"OFF-{family.id}",
                pay_date=day,
                pay_type="C",
                action=action,
            )
        except OpenImisError as refusal:
            self._tally(family).refused[f"{refusal.kind}: {refusal.said.splitlines()[0][:60]}"] += 1

    async def _settle_the_rest(self, family: Family) -> None:
        """What was thrown back, by a deadlock say, is tried again when its time has come."""
        while await self.beside.fetchval("SELECT count(*) FROM gw_entry WHERE state = 'new'"):
            self._tally(family).again += 1
            self.clock.ahead += timedelta(seconds=30)
            assert await self._settle.one()
            self.clock.ahead -= timedelta(seconds=30)

    async def _ask(self, family: Family) -> Bill | None:
        """A bill with its number; None when what is due changed meanwhile."""
        now = self.clock.now()
        async with self.database.reading() as tx:
            quote, _ = await read_quote(tx.registry, family.id, eat_day(now))
        assert isinstance(quote, Quote), quote
        wanted = RequestBill(quote.key, family.id, quote.amount.amount_minor, "+255712000001", "sw")
        if family.kind == Kind.REQUEST:
            self._arm(family)
        bill = await self._request(wanted, now)
        if family.kind == Kind.REQUEST:
            self._learn(family)
        if bill is None:
            return None
        self._numbers += 1
        async with self.database.writing() as tx:
            return await tx.bills.record(bill, BillFact.NUMBERED, now, control_number=f"9941{self._numbers:08}")

    async def _report(self, family: Family) -> None:
        """The provider says that the family has paid."""
        now, bill = self.clock.now(), family.bill
        assert bill is not None
        assert bill.control_number is not None
        family.reference = f"PSP-{family.id}"
        paid = Money.parse(HALF if family.kind == Kind.HALVES else PRICE)
        report = PaymentReport(family.reference, bill.control_number, paid, now, bill_id=bill.id)
        kept = Evidence(uuid4().hex, "race", "payments", now, b"ok", 2, {}, "0" * 64, Verdict.GENUINE, "", None, 200)
        async with self.database.writing() as tx:
            await tx.inbox.keep(kept, [report])

    # ---- what it left

    async def left(self) -> dict[str, dict[int, int]]:
        """What must not stand: by its name, policy or other row and family."""
        found = {}
        for name, statement in _MUST_NOT_STAND.items():
            rows = await self.beside.fetch(statement, _APART)
            found[name] = {row[0]: row[1] for row in rows}
        return found

    async def quiet(self, pace_s: float) -> int:
        """Nobody writes any more, and the follower looks at its pace until it finds nothing: how often it did."""
        looks = 0
        while True:
            self.clock.ahead += timedelta(seconds=pace_s)
            if not await self.follow():
                self.clock.ahead = timedelta(0)
                return looks
            looks += 1

    def count(self, found: dict[str, dict[int, int]]) -> None:
        for name, rows in found.items():
            for family_id in rows.values():
                self._tally(self.families[family_id]).left[name] += 1

    async def count_repairs(self) -> list[int]:
        """The policies of the audit's repairs, each as often as it stands there."""
        rows = await self.beside.fetch(
            'SELECT action, substr(subject, 8)::int AS policy_id, "FamilyID" FROM gw_audit'
            ' JOIN "tblPolicy" ON "PolicyID" = substr(subject, 8)::int'
            " WHERE action IN ('policy.repaired', 'policy.moved')"
        )
        for action, _, family_id in rows:
            self._tally(self.families[family_id]).repaired[action] += 1
        return [policy_id for _, policy_id, _ in rows]

    def table(self) -> str:
        lines = []
        for (kind, atomic), seen in self.tally.items():
            parts = [
                f"{kind:12} {'one transaction' if atomic else 'by statement':15} rounds {seen.rounds:4}",
                f"openIMIS waited {seen.waited:4}",
                f"again {seen.again:3}",
            ]
            parts += [f"left {name} {n}" for name, n in sorted(seen.left.items())]
            parts += [f"{name} {n}" for name, n in sorted(seen.repaired.items())]
            parts += [f"openIMIS refused {n} x {name}" for name, n in seen.refused.items()]
            lines.append(", ".join(parts))
        return "\n".join(lines)


IDLE, DOUBLED = "paid but idle", "same days twice"
_MUST_NOT_STAND = {
    IDLE: """
        SELECT p."PolicyID", p."FamilyID" FROM "tblPolicy" p
        JOIN "tblPremium" m ON m."PolicyID" = p."PolicyID" AND m."ValidityTo" IS NULL AND m."isPhotoFee" = false
        WHERE p."ValidityTo" IS NULL AND p."PolicyStatus" = 1 AND p."FamilyID" > $1
        GROUP BY p."PolicyID" HAVING sum(m."Amount") >= p."PolicyValue" AND sum(m."Amount") > 0""",
    DOUBLED: """
        SELECT min(p."PolicyID"), p."FamilyID" FROM "tblPolicy" p JOIN "tblPolicy" q
        ON q."FamilyID" = p."FamilyID" AND q."ProdID" = p."ProdID" AND q."PolicyID" > p."PolicyID"
        WHERE p."ValidityTo" IS NULL AND q."ValidityTo" IS NULL AND p."PolicyStatus" = 2 AND q."PolicyStatus" = 2
        AND p."StartDate" <= q."ExpiryDate" AND q."StartDate" <= p."ExpiryDate" AND p."FamilyID" > $1
        GROUP BY p."FamilyID" """,
    "a bill that asks for a cover held already": """
        SELECT min(p."PolicyID"), p."FamilyID" FROM gw_bill b
        JOIN "tblPolicy" p ON p."FamilyID" = b.family_id AND p."ValidityTo" IS NULL AND p."PolicyStatus" = 2
        WHERE b.state IN ('created', 'submitted', 'numbered') AND p."ExpiryDate" >= current_date
        AND p."PolicyID" <> coalesce(b.preceding_policy_id, 0) AND p."FamilyID" > $1
        GROUP BY p."FamilyID" """,
    "money of ours that is not there once": """
        SELECT g.id, b.family_id FROM gw_payment g JOIN gw_bill b ON b.id = g.bill_id
        WHERE b.family_id > $1 AND (g.state = 'settled')::int <>
        (SELECT count(*) FROM "tblPremium" WHERE "Receipt" = g.reference)""",
    "a report neither settled nor before a person": """
        SELECT 0, b.family_id FROM gw_entry e LEFT JOIN gw_payment g ON g.inbox_id = e.inbox_id
        LEFT JOIN gw_bill b ON b.id = g.bill_id AND b.family_id > $1
        WHERE e.state <> 'settled'
        AND NOT (e.state = 'case' AND EXISTS (SELECT 1 FROM gw_case c WHERE c.inbox_id = e.inbox_id))""",
    "a premium without history of its policy": """
        SELECT m."PremiumId", p."FamilyID" FROM "tblPremium" m JOIN "tblPolicy" p ON p."PolicyID" = m."PolicyID"
        WHERE p."FamilyID" > $1 AND m."ValidityTo" IS NULL
        AND NOT EXISTS (SELECT 1 FROM "tblPolicy" h WHERE h."LegacyID" = p."PolicyID")""",
}


# ---- families for the rounds


async def copies(beside: asyncpg.Connection, kinds: Sequence[Kind]) -> list[Family]:
    """One family for each round, with everything that hangs on it: copied by the database, key by key."""
    made = []
    for source in (NEVER_PAID, EXPIRED):
        numbers = [n for n, kind in enumerate(kinds, 1) if (kind == Kind.RENEWAL) == (source == EXPIRED)]
        async with beside.transaction():  # a family and its head name each other
            for table, key, moved, where in _COPIED:
                await _copy(beside, table, key, moved, where, source, numbers)
        policy_id = await beside.fetchval(
            'SELECT "PolicyID" FROM "tblPolicy" WHERE "FamilyID" = $1 AND "ValidityTo" IS NULL', source
        )
        made += [Family(source + n * _APART, policy_id + n * _APART, kinds[n - 1]) for n in numbers]
    for table, key, _, _ in _COPIED:
        await beside.execute(
            f"""SELECT setval(pg_get_serial_sequence('"{table}"', '{key}'), (SELECT max("{key}") FROM "{table}"))"""
        )
    return made


_OF_FAMILY = '"FamilyID" = $1 AND "ValidityTo" IS NULL'
_OF_POLICY = f'"ValidityTo" IS NULL AND "%s" IN (SELECT "PolicyID" FROM "tblPolicy" WHERE {_OF_FAMILY})'
_COPIED = (  # table, its key, what moves with the copy, which rows
    ("tblFamilies", "FamilyID", ("InsureeID",), _OF_FAMILY),
    ("tblInsuree", "InsureeID", ("FamilyID",), _OF_FAMILY),
    ("tblPolicy", "PolicyID", ("FamilyID",), _OF_FAMILY),
    ("tblInsureePolicy", "InsureePolicyID", ("InsureeID", "PolicyId"), _OF_POLICY % "PolicyId"),
)


async def _copy(
    beside: asyncpg.Connection,
    table: str,
    key: str,
    moved: tuple[str, ...],
    where: str,
    source: int,
    numbers: Sequence[int],
) -> None:
    names = [
        row[0]
        for row in await beside.fetch("SELECT column_name FROM information_schema.columns WHERE table_name = $1", table)
    ]
    values = [
        f'"{name}" + n * {_APART}'
        if name in (key, *moved)
        else "gen_random_uuid()"
        if name.endswith("UUID")
        else f'"{name}"'
        for name in names
    ]
    columns = ", ".join(f'"{name}"' for name in names)
    await beside.execute(
        f'INSERT INTO "{table}" ({columns}) SELECT {", ".join(values)} FROM "{table}", unnest($2::int[]) n'
        f" WHERE {where}",
        source,
        list(numbers),
    )


class _ThisDriver:
    """Stands where the client looks for its driver."""

    def __truediv__(self, _: str) -> Path:
        return Path(__file__).with_name("race_driver.py")


@asynccontextmanager
async def a_race(database: Database, url: str, messages: Messages, seed: int) -> AsyncIterator[Race]:
    """Instalments are allowed, or no half could be paid."""
    beside = await asyncpg.connect(url)
    # whoever is to be thrown back is so at once: the second that PostgreSQL gives by itself is waited for in vain
    await beside.execute(
        f"ALTER DATABASE {await beside.fetchval('SELECT current_database()')} SET deadlock_timeout = 100"
    )
    with patch.object(openimis_process, "HERE", _ThisDriver()):
        openimis = OpenImis(url)
    await beside.execute('UPDATE "tblProduct" SET "MaxInstallments" = 2 WHERE "ProductCode" = \'CHFDOM\'')
    race = Race(database, beside, openimis, messages, seed)
    try:
        yield race
    finally:
        race.close()
        openimis.close()
        await beside.close()
