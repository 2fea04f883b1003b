"""Real processes for tests: start, wait, end and kill them; a phone over HTTP; reads of the database beside them."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
from sqlalchemy import Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool
from steady import now_s

from adapters.registry.openimis.tables import families, insuree_policies, insurees, locations, policies, products
from adapters.registry.openimis.types import new_uuid
from gateway.domain.chfid import with_check_digit
from gateway.domain.clock import eat_day
from gateway.domain.periods import add_months
from gateway.domain.policy import PolicyStatus
from gateway.store.database import driver_url
from gateway.store.tables import bill, phone
from sandbox import gepg_messages
from sandbox.envelope import seal
from sandbox.gepg_book import Payment
from sandbox.keys import KeyRing

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 90.0  # what only a defect reaches, on a machine that has much else to do
STOP_S = 30.0
NUMBER = re.compile(r"\d{4} \d{4} \d{4}")
RECEIPT = re.compile(r"Risiti (\w+)")


# ---------------------------------------------------------------------------------------------------------------- time


async def until(check: Callable[[], Awaitable[T]], what: str, every_s: float = 0.02) -> T:
    """The first true value of ``check``; fails with its last value when there is none for very long."""
    end = time.monotonic() + PATIENCE_S
    while True:
        value = await check()
        if value:
            return value
        assert time.monotonic() < end, f"{what}: not within {PATIENCE_S} s; last seen: {value!r}"
        await asyncio.sleep(every_s)


def in_time(check: Callable[[], T], what: str, every_s: float = 0.02, said: Callable[[], str] = str) -> T:
    """``until`` for what is seen without an event loop. ``said``: what a failure shows besides, such as a log's end."""
    end = time.monotonic() + PATIENCE_S
    while not (value := check()):
        assert time.monotonic() < end, f"{what}: not within {PATIENCE_S} s\n{said()}"
        time.sleep(every_s)
    return value


# ----------------------------------------------------------------------------------------------------------- processes


def answers(url: str) -> int:
    """The HTTP status of a GET, 0 when nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 0


@dataclass
class Child:
    """One process in a group of its own. ``ready``: the address whose 200 says that it does its work."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    ready: str = ""
    process: subprocess.Popen[bytes] | None = None
    cwd: Path = ROOT

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                env=dict(self.environment),
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_ready(self) -> float:
        """Seconds until it answered 200."""

        def ready() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, f"{self.name} ended with {self.process.returncode}\n{self.tail()}"
            return answers(self.ready) == 200

        started = time.monotonic()
        in_time(ready, f"{self.name} ready", 0.01, self.tail)
        return time.monotonic() - started

    def kill(self) -> None:
        """``kill -9``, at once."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM, and SIGKILL for the deaf; the exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait()

    def restart(self) -> None:
        self.start()
        self.wait_ready()

    def tail(self, characters: int = 6_000) -> str:
        return self.log.read_text("utf-8", "replace")[-characters:] if self.log.exists() else ""

    def resident_kb(self) -> int:
        """Resident memory now."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


def own_environment(bytecode: Path | None) -> dict[str, str]:
    """What every child gets: nothing of ours leaks in. ``bytecode``: where compiled modules go, if not as usual."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "VIRTUAL_ENV", "LANG") if name in os.environ}
    runtime = {"XDG_RUNTIME_DIR": os.environ["XDG_RUNTIME_DIR"]} if "XDG_RUNTIME_DIR" in os.environ else {}
    return {**kept, **runtime, **({"PYTHONPYCACHEPREFIX": str(bytecode)} if bytecode else {})}


def gateway_command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "gateway", *arguments]


def run_gateway(*arguments: str, environment: Mapping[str, str], cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """One command to its end."""
    return subprocess.run(
        gateway_command(*arguments),
        env=dict(environment),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def processes_in(folder: Path) -> dict[int, str]:
    """Who lives in a folder: by working directory or command line. Without zombies and ourselves."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
            where = os.readlink(entry / "cwd")
        except OSError:
            continue
        if command and (where.startswith(str(folder)) or str(folder) in command):
            found[int(entry.name)] = command
    return found


def end_all_in(folder: Path) -> None:
    """Leave nobody behind, whatever happened."""
    for _ in range(50):
        left = processes_in(folder)
        if not left:
            return
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)


# --------------------------------------------------------------------------------------------------------------- phone


@dataclass(frozen=True)
class Screen:
    """What came back: HTTP status, ``CON`` or ``END``, the text, and how long it took."""

    status: int
    kind: str
    text: str
    seconds: float

    @property
    def control_number(self) -> str:
        """The number on the screen, '' where there is none."""
        found = NUMBER.search(self.text)
        return found[0].replace(" ", "") if found else ""


class Phone:
    """Africa's Talking's forms with the cumulative text. Each turn goes to the next of the serving processes."""

    def __init__(self, client: aiohttp.ClientSession, bases: Sequence[str], msisdn: str) -> None:
        self._client = client
        self._bases = itertools.cycle(bases)
        self.msisdn = msisdn
        self.session_id = f"ATUid_{random.getrandbits(64):x}"
        self.text = ""

    async def send(self, text: str, session_id: str | None = None) -> Screen:
        """One turn with exactly this text."""
        return await post_form(
            self._client,
            next(self._bases),
            {
                "sessionId": session_id or self.session_id,
                "phoneNumber": self.msisdn,
                "networkCode": "64004",
                "serviceCode": "*152*00#",
                "text": text,
            },
        )

    async def dial(self) -> Screen:
        self.text = ""
        return await self.send("")

    async def press(self, key: str) -> Screen:
        self.text = f"{self.text}*{key}" if self.text else key
        return await self.send(self.text)

    async def ask_for_number(self) -> Screen:
        """Dial, "pay", "yes"."""
        await self.dial()
        await self.press("1")
        return await self.press("1")


async def post_form(
    client: aiohttp.ClientSession, base: str, form: Mapping[str, str] | bytes, total_s: float = 15.0
) -> Screen:
    started = now_s()
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if isinstance(form, bytes) else {}
    async with client.post(
        f"{base}/ussd/africastalking/demo", data=form, headers=headers, timeout=aiohttp.ClientTimeout(total=total_s)
    ) as response:
        body = await response.text()
        return Screen(response.status, body[:4].rstrip(), body[4:], now_s() - started)


# ------------------------------------------------------------------------------------------------------------ database


class Sql:
    """Reads and writes of the database, beside the processes and through none of their code paths."""

    def __init__(self, url: str) -> None:
        self._engine = create_async_engine(driver_url(url), poolclass=NullPool)

    async def rows(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        async with self._engine.connect() as connection:
            return (await connection.execute(statement)).all()

    async def scalar(self, statement: Select[Any]) -> Any:
        async with self._engine.connect() as connection:
            return await connection.scalar(statement)

    async def count(self, table: Any, *conditions: Any) -> int:
        return int(await self.scalar(select(func.count()).select_from(table).where(*conditions)))

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        async with self._engine.begin() as connection:
            yield connection

    async def close(self) -> None:
        await self._engine.dispose()


@dataclass(frozen=True)
class Family:
    """A family of a test's own. ``expiry`` is the last day of its one policy, None where it has none."""

    id: int
    chfid: str
    members: tuple[int, ...]
    phones: tuple[str, ...]
    policy_id: int | None
    expiry: date | None


_numbers = itertools.count(8_000_001)
_phones = itertools.count(1)


def new_phone() -> str:
    return f"+25577{next(_phones):07}"


async def new_families(
    sql: Sql, count: int, *, phones: int = 1, members: int = 3, ended_days: int | None = 40
) -> list[Family]:
    """Families in Hombolo (30,000 for six), each with phones that the gateway's index knows.

    ``ended_days``: how long ago their cover ended; negative: in how many days it ends; None: never had one.
    """
    today = eat_day(datetime.now(UTC))
    made: list[Family] = []
    async with sql.writing() as db:
        village = await db.scalar(select(locations.c.LocationId).where(locations.c.LocationName == "Hombolo Bwawani"))
        product = await db.scalar(select(products.c.ProdID).where(products.c.ProductCode == "CHFDOM"))
        since = datetime.now(UTC) - timedelta(days=500)
        row: dict[str, Any] = {"ValidityFrom": since, "AuditUserID": 1, "isOffline": False}
        for _ in range(count):
            family_id = await _add(db, families, FamilyUUID=new_uuid(), InsureeID=0, LocationId=village, **row)
            own = [new_phone() for _ in range(phones)]
            people, chfid = [], ""
            for place in range(members):
                number = with_check_digit(next(_numbers))
                chfid = chfid or number
                insuree_id = await _add(
                    db,
                    insurees,
                    InsureeUUID=new_uuid(),
                    FamilyID=family_id,
                    CHFID=number,
                    LastName="Majaribio",
                    OtherNames=f"Mtu {place + 1}",
                    DOB=date(1990, 1, 1),
                    Gender="F",
                    IsHead=place == 0,
                    Phone=own[place] if place < phones else None,
                    **row,
                )
                people.append(insuree_id)
                if place < phones:
                    await db.execute(
                        phone.insert().values(insuree_id=insuree_id, family_id=family_id, msisdn=own[place])
                    )
            await db.execute(families.update().where(families.c.FamilyID == family_id).values(InsureeID=people[0]))
            policy_id = expiry = None
            if ended_days is not None:
                expiry = today - timedelta(days=ended_days)
                policy_id = await _old_policy(db, family_id, product, people, expiry, expiry < today, row)
            made.append(Family(family_id, chfid, tuple(people), tuple(own), policy_id, expiry))
    return made


async def _old_policy(
    db: AsyncConnection, family_id: int, product: int, people: Iterable[int], expiry: date, ended: bool, row: Any
) -> int:
    start = add_months(expiry + timedelta(days=1), -12)
    dates = {"StartDate": start, "EffectiveDate": start, "ExpiryDate": expiry}
    policy_id = await _add(
        db,
        policies,
        PolicyUUID=new_uuid(),
        FamilyID=family_id,
        ProdID=product,
        PolicyStage="N",
        PolicyStatus=int(PolicyStatus.EXPIRED if ended else PolicyStatus.ACTIVE),
        PolicyValue=Decimal("30000.00"),
        EnrollDate=start,
        **dates,
        **row,
    )
    for insuree_id in people:
        await _add(db, insuree_policies, InsureeID=insuree_id, PolicyId=policy_id, EnrollmentDate=start, **dates, **row)
    return policy_id


async def _add(db: AsyncConnection, table: Any, **values: Any) -> int:
    key = (await db.execute(table.insert().values(values))).inserted_primary_key
    assert key is not None
    return int(key[0])


# --------------------------------------------------------------------------------------------------------------- stack


@dataclass
class Stack:
    """A running gateway with its counterparties."""

    backend: str
    url: str
    keys: Path
    environment: Mapping[str, str]
    sandbox: Child
    sandbox_url: str
    serving: list[Child]
    workers: list[Child]
    bases: list[str]
    operators: list[str]
    lease_s: float
    sms_window: int

    @property
    def children(self) -> list[Child]:
        return [self.sandbox, *self.serving, *self.workers]

    @property
    def working(self) -> list[Child]:
        """The processes that run effects: the workers, or on the embedded database the serving process."""
        return self.workers or self.serving

    def wait_ready(self) -> None:
        for child in self.children:
            child.wait_ready()

    def stop(self) -> None:
        for child in reversed(self.children):
            child.stop()


class World:
    """A test's view of a stack: its client, its phones, its reads."""

    def __init__(self, stack: Stack, client: aiohttp.ClientSession, sql: Sql) -> None:
        self.stack, self.client, self.sql = stack, client, sql
        self._turn = itertools.cycle(stack.bases)

    def phone(self, msisdn: str) -> Phone:
        return Phone(self.client, self.stack.bases, msisdn)

    async def family(self, **wanted: Any) -> Family:
        return (await new_families(self.sql, 1, **wanted))[0]

    # --- the sandbox -----------------------------------------------------------------------------------------------

    async def sandbox(self, method: str, path: str, body: object = None) -> Any:
        async with self.client.request(
            method, f"{self.stack.sandbox_url}{path}", json=body, timeout=aiohttp.ClientTimeout(total=60)
        ) as response:
            assert response.status < 300, await response.text()
            return await response.json()

    async def sms(self, msisdn: str) -> list[str]:
        """The texts that a phone got, oldest first."""
        return [m["text"] for m in await self.sandbox("GET", f"/sandbox/sms?to=%2B{msisdn.removeprefix('+')}")]

    async def sms_like(self, msisdn: str, *words: str) -> list[str]:
        return [text for text in await self.sms(msisdn) if all(word in text for word in words)]

    async def pay(self, number: str, msisdn: str, amount: str = "30000.00", **more: Any) -> dict[str, Any]:
        body = {"control_number": number, "amount": amount, "msisdn": msisdn, **more}
        return dict(await self.sandbox("POST", "/sandbox/pay", body))

    async def fault(self, message: str, kind: str, times: int = 1, seconds: float = 0, forever: bool = False) -> None:
        body = {"message": message, "fault": kind, "times": times, "seconds": seconds, "forever": forever}
        await self.sandbox("POST", "/sandbox/faults", body)

    async def no_faults(self) -> None:
        await self.sandbox("DELETE", "/sandbox/faults")

    async def bills_at_provider(self, family: Family) -> list[dict[str, Any]]:
        """The bills that GePG holds for the phones of a family."""
        return [b for b in await self.sandbox("GET", "/sandbox/bills") if b["msisdn"].lstrip("+") in _digits(family)]

    # --- our side --------------------------------------------------------------------------------------------------

    async def number_for(self, family: Family) -> str:
        """A control number, by way of the menu."""
        screen = await self.phone(family.phones[0]).ask_for_number()
        if screen.control_number:
            return screen.control_number

        async def bound() -> str:
            return str(await self.sql.scalar(select(bill.c.control_number).where(bill.c.family_id == family.id)) or "")

        return await until(bound, f"a control number after {screen}")

    async def post(self, raw: bytes, route: str = "payments", base: str = "") -> tuple[int, str]:
        """Bytes to a callback route of the next serving process: HTTP status and AckStsCode."""
        async with self.client.post(
            f"{base or next(self._turn)}/payments/gepg/{route}",
            data=raw,
            headers={"Content-Type": "application/xml"},
            timeout=aiohttp.ClientTimeout(total=20),
        ) as response:
            found = re.search(r"<AckStsCode>(\d*)</AckStsCode>", await response.text())
            return response.status, found[1] if found else ""

    async def quiet(self) -> None:
        """Until no entry is new and no effect waits."""
        from gateway.store.tables import entry, outbox

        async def done() -> bool:
            new = await self.sql.count(entry, entry.c.state == "new")
            return new == 0 and await self.sql.count(outbox, outbox.c.state.in_(("todo", "leased"))) == 0

        await until(done, "an idle worker")


def _digits(family: Family) -> set[str]:
    return {msisdn.lstrip("+") for msisdn in family.phones}


def notification(keys: KeyRing, *, reference: str, number: str, bill_id: str, msisdn: str, paid_minor: int) -> bytes:
    """A payment notification as GePG would sign it with these keys."""
    told = Payment(
        trx_id=f"{random.randrange(10**12):012d}",
        pay_ref_id=reference,
        receipt=f"R{random.randrange(10**9):09d}",
        channel="MOBILE",
        msisdn=msisdn,
        payer="MLIPAJI",
        sp_code="SP19960",
        bill_id=bill_id,
        control_number=number,
        bill_minor=3_000_000,
        paid_minor=paid_minor,
        pay_opt=3,
        currency="TZS",
        at=datetime.now(UTC),
    )
    req_id = gepg_messages.new_id("REQ", told.at)
    return seal(gepg_messages.payment_notification(req_id, told, paid_minor), keys)


def new_reference() -> str:
    return f"9{random.randrange(10**13):013d}"
