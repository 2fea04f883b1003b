"""Ten thousand spoilt messages, bodies of fifty megabytes and a flood of forgeries, to a real process on PostgreSQL.

Each time: an acknowledgement of GePG's protocol that we signed, the bytes and the verdict kept, genuine payments taken
meanwhile, and a process that is alive and no larger.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
import re
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from hostile.mutations import Mutant, Mutator
from ports import free_ports
from processes_harness import Child, Sql, gateway_command, new_reference, notification, until
from sqlalchemy import func, select
from steady import now_s

from gateway.store.tables import case, entry, inbox
from sandbox import gepg_messages, gepg_v4_messages
from sandbox.envelope import render
from sandbox.generation import V4, V5
from sandbox.gepg_book import Payment
from sandbox.keys import KeyRing, load_keys

pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)

MUTANTS, AT_ONCE = 10_000, 16
LIMIT = 1_000_000  # GATEWAY_CALLBACK_BYTES
BAR_S = 1.0
VERDICTS = {
    ("7101", 200): "genuine",
    ("7303", 200): "bad_signature",
    ("7242", 400): "unreadable",
    ("7242", 413): "too_large",
}
_ACK = re.compile(rb"<Gepg>(<(\w+)>.*</\2>)<(signature|gepgSignature)>([A-Za-z0-9+/=]+)</\3></Gepg>", re.S)
_CODE = re.compile(rb"<(?:AckStsCode|TrxStsCode)>(\d{4})</")


@dataclass
class Target:
    """One serving process without a worker, and what we hold to judge it."""

    child: Child
    base: str
    keys: KeyRing
    sql: Sql
    client: aiohttp.ClientSession
    environment: dict[str, str]
    slowest: dict[str, float] = field(default_factory=dict)

    async def post(self, body: Any, route: str = "payments", of: str = "request", **more: Any) -> str:
        """The verdict as the peer is told it. The answer is one of GePG's protocol, and signed by us."""
        began = now_s()
        url = f"{self.base}/payments/gepg/{route}"
        async with self.client.post(url, data=body, timeout=aiohttp.ClientTimeout(total=60), **more) as response:
            answer, status = await response.read(), response.status
        self.slowest[of] = max(self.slowest.get(of, 0.0), now_s() - began)
        return self.verdict(status, answer)

    def verdict(self, status: int, answer: bytes) -> str:
        match, code = _ACK.fullmatch(answer), _CODE.search(answer)
        assert match is not None, (status, answer[:300])
        assert code is not None, answer[:300]
        generation = V4 if match[3] == b"gepgSignature" else V5
        assert self.keys.verify(match[1], match[4].decode(), generation), "our own acknowledgement is well signed"
        return VERDICTS[code[1].decode(), status]

    @property
    def most_memory_mb(self) -> float:
        """The most that the process ever held."""
        status = Path(f"/proc/{self.child.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024

    @asynccontextmanager
    async def beside(self, name: str, call: Callable[[], Awaitable[Any]]) -> AsyncIterator[list[Any]]:
        """The same call again and again meanwhile; what came of it, and how long the longest took."""
        came: list[Any] = []

        async def again() -> None:
            while True:
                began = now_s()
                came.append(await call())
                self.slowest[name] = max(self.slowest.get(name, 0.0), now_s() - began)
                await asyncio.sleep(0.02)

        calls = asyncio.create_task(again())
        try:
            yield came
        finally:
            calls.cancel()
            with suppress(asyncio.CancelledError):
                await calls

    async def live(self) -> int:
        async with self.client.get(f"{self.base}/livez") as response:
            return response.status

    async def genuine(self) -> str:
        return await self.post(payment(self.keys), of="genuine")

    async def kept(self, *conditions: Any) -> Counter[tuple[str, str]]:
        """Digest and verdict of everything that is kept so; each digest is that of the kept bytes."""
        held = func.encode(func.sha256(inbox.c.body), "hex").label("held")
        rows = await self.sql.rows(select(inbox.c.digest, inbox.c.verdict, inbox.c.size, held).where(*conditions))
        assert all(row.held == row.digest for row in rows)
        return Counter((row.digest, row.verdict) for row in rows)

    async def settle_all(self, log: Path) -> None:
        """A worker takes what was kept as new, to its end."""
        (operator,) = free_ports(1)
        ready = f"http://127.0.0.1:{operator}/readyz"
        worker = Child("work", gateway_command("work", "--operator-port", str(operator)), self.environment, log, ready)
        worker.start()
        try:
            worker.wait_ready()

            async def none_new() -> bool:
                return await self.sql.count(entry, entry.c.state == "new") == 0

            await until(none_new, "everything settled")
        finally:
            worker.stop()
        assert '"event": "settle_failed"' not in worker.tail(10_000_000)


@pytest.fixture
async def target(
    backend: str, settings: dict[str, str], fresh_database: Any, keys: Path, tmp_path: Path, request: Any
) -> AsyncIterator[Target]:
    public, operator = free_ports(2)
    url = fresh_database()
    environment = {**settings, "GATEWAY_DATABASE__URL": url, **getattr(request, "param", {})}
    command = gateway_command("serve", "--public-port", str(public), "--operator-port", str(operator))
    base = f"http://127.0.0.1:{public}"
    child = Child("serve", command, environment, tmp_path / "serve.log", f"{base}/readyz")
    child.start()
    sql = Sql(url)
    try:
        child.wait_ready()
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:
            yield Target(child, base, load_keys(keys), sql, client, environment)
        assert child.process is not None
        assert child.process.poll() is None, "the process lives"
        assert '"level": "error"' not in child.tail(50_000_000)
        assert "Traceback" not in child.tail(50_000_000)
    finally:
        code = child.stop()
        await sql.close()
    assert code == 0


def payment(keys: KeyRing) -> bytes:
    """A genuine notification, of money for nobody's number."""
    return notification(
        keys,
        reference=new_reference(),
        number="199609999999",
        bill_id="NOBODYS",
        msisdn="+255770999999",
        paid_minor=3_000_000,
    )


def valid_messages() -> dict[str, bytes]:
    """One of each kind and generation, as the sandbox writes them."""
    now = datetime.now(UTC)
    paid = Payment(
        trx_id="TRX1", pay_ref_id="925314000012345", receipt="R1", channel="MOBILE", msisdn="+255770999999",
        payer="Asha Juma", sp_code="SP19960", bill_id="B-7f3a", control_number="199600000148", bill_minor=3_000_000,
        paid_minor=3_000_000, pay_opt=3, currency="TZS", at=now,
    )  # fmt: skip
    detail = "<BillId>B-7f3a</BillId><BillCntrNum>199600000148</BillCntrNum><BillStsCode>7101</BillStsCode>"
    header = (
        "<ResId>RES-1</ResId><ReqId>REQ-1</ReqId><GrpBillId>B-7f3a</GrpBillId><CustCntrNum>199600000148</CustCntrNum>"
    )
    v4 = "<BillId>B-7f3a</BillId><PayCntrNum>199600000148</PayCntrNum><TrxSts>GS</TrxSts><TrxStsCode>7101</TrxStsCode>"
    texts = {
        "payments v5": render(gepg_messages.payment_notification("REQ-1", paid, paid.paid_minor)),
        "payments v4": render(gepg_v4_messages.payment_notification([(paid, paid.paid_minor)])),
        "bills v5": f"<billSubRes><BillHdr>{header}<ResSts>GS</ResSts><ResStsCode>7101</ResStsCode></BillHdr>"
        f"<BillDtls><BillDtl>{detail}</BillDtl></BillDtls></billSubRes>",
        "bills v4": f"<gepgBillSubResp><BillTrxInf>{v4}</BillTrxInf></gepgBillSubResp>",
    }
    return {name: text.encode() for name, text in texts.items()}


async def more_than(came: Sequence[Any], count: int) -> bool:
    return len(came) > count


@asynccontextmanager
async def a_trap() -> AsyncIterator[tuple[str, list[bytes]]]:
    """An address that nobody may call, and who did."""
    called: list[bytes] = []

    async def caught(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.append(await reader.read(200))
        writer.close()

    server = await asyncio.start_server(caught, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}", called


async def all_of(calls: Iterable[Callable[[], Awaitable[str]]], at_once: int) -> list[str]:
    """Their answers in order, so many under way."""
    room = asyncio.Semaphore(at_once)

    async def one(call: Callable[[], Awaitable[str]]) -> str:
        async with room:
            return await call()

    return await asyncio.gather(*(one(call) for call in calls))


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


KEEP_ALL = {"GATEWAY_REFUSED_AN_HOUR": "100000", "GATEWAY_REFUSED_BYTES_AN_HOUR": str(10**10)}


@pytest.mark.parametrize("target", [KEEP_ALL], indirect=True)
async def test_ten_thousand_spoilt_messages(target: Target, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    canary.write_text(secret := uuid4().hex)
    before_mb = target.most_memory_mb
    async with a_trap() as (trap, called):
        sign = target.keys.sign
        mutator = Mutator(
            valid_messages(),
            lambda raw: sign(raw, V4 if raw.lstrip().startswith(b"<gepg") else V5).encode(),
            seed=4,
            trap=trap,
            canary=canary.as_uri(),
            large_every=200,
        )
        mutants = list(mutator.mutants(MUTANTS))

        def sending(mutant: Mutant) -> Callable[[], Awaitable[str]]:
            return lambda: target.post(io.BytesIO(mutant.body), mutant.route, of="mutant")

        began = now_s()
        async with target.beside("livez", target.live) as lived:
            verdicts = await all_of(map(sending, mutants), AT_ONCE)
        took_s = now_s() - began
        assert set(lived) == {200}
        assert called == [], "nothing is fetched from anywhere"
    slowest, control = target.slowest["mutant"], target.slowest["livez"]
    after_mb = target.most_memory_mb
    print(
        f"\n{MUTANTS} spoilt messages in {took_s:.1f} s: {dict(Counter(verdicts))}; slowest {slowest * 1000:.0f} ms"
        f" (GET /livez beside it {control * 1000:.0f} ms);"
        f" memory at most {before_mb:.0f} MB before, {after_mb:.0f} after"
    )
    assert slowest < BAR_S + control, "what a plain GET took in the same minute is the machine's, not the message's"
    assert after_mb - before_mb < 150

    sent = Counter((digest(m.body[:LIMIT]), verdict) for m, verdict in zip(mutants, verdicts, strict=True))
    rows = await target.sql.rows(select(inbox.c.digest, inbox.c.size, inbox.c.why))
    once = {row.digest for row in rows if row.why.startswith("well signed")}  # and cannot be read: kept once
    assert await target.kept() == _kept(sent, once), "each with its bytes and its verdict"
    sizes = Counter((digest(m.body), len(m.body)) for m in mutants)
    assert Counter((row.digest, row.size) for row in rows) == _kept(sizes, once)
    assert await target.sql.count(case, case.c.kind == "unreadable") == len(once) > 400
    await only_the_signed_are_believed(target, mutants, verdicts, secret)
    await target.settle_all(tmp_path / "work.log")
    assert await target.sql.count(case, case.c.kind == "settle_failed") == 0


def _kept(sent: Counter[tuple[str, Any]], once: set[str]) -> Counter[tuple[str, Any]]:
    """How often each should be kept: as often as it came, but for those whose digest is in ``once``."""
    return Counter({key: 1 if key[0] in once else times for key, times in sent.items()})


async def only_the_signed_are_believed(
    target: Target, mutants: Sequence[Mutant], verdicts: Sequence[str], secret: str
) -> None:
    """Entries come of genuine messages only; where the signature was not made anew, they say what was signed."""
    rows = await target.sql.rows(
        select(inbox.c.digest, inbox.c.verdict, entry.c.kind, entry.c.notice).join(
            entry, entry.c.inbox_id == inbox.c.id
        )
    )
    assert {row.verdict for row in rows} == {"genuine"}
    assert not any(secret in str(row.notice) for row in rows)
    unsigned = {digest(mutant.body) for mutant in mutants if not mutant.is_signed}
    signed = {digest(mutant.body) for mutant in mutants if mutant.is_signed}
    said = [row.notice for row in rows if row.digest in unsigned - signed]
    assert {notice["control_number"] for notice in said} == {"199600000148"}
    assert {notice["amount"]["amount_minor"] for notice in said if "amount" in notice} == {3_000_000}
    found = Counter(verdict for mutant, verdict in zip(mutants, verdicts, strict=True) if mutant.is_signed)
    assert found["genuine"] > 400, "the readers behind the gate were reached"


# ------------------------------------------------------------------------------------------------------------- too much

MB = 1_000_000


async def chunks(body: bytes, size: int = 65_536) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def spoken(target: Target, raw: Iterable[bytes], wait_s: float = 5.0) -> bytes:
    """Bytes on a connection of one's own, and what comes back until it is closed."""
    host, port = target.base.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    with suppress(ConnectionError):
        for piece in raw:
            writer.write(piece)
            await writer.drain()
    answer = b""
    with suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(wait_s):
            while piece := await reader.read(65_536):
                answer += piece
                if b"</Gepg>" in answer:
                    break
    writer.close()
    return answer


def head(*headers: bytes) -> bytes:
    return b"\r\n".join((b"POST /payments/gepg/payments HTTP/1.1", b"Host: gateway", *headers, b"", b""))


async def test_bodies_of_fifty_megabytes(target: Target) -> None:
    """Announced, in chunks, packed, and many at once; payments are taken all the while."""
    raw = b"<Gepg>" + b"<pmtSpNtfReq>" * (50 * MB // 13)
    member = gzip.compress(bytes(10 * MB))
    bomb = member * 300  # three gigabytes in three megabytes
    deflated = zlib.compress(bytes(50 * MB))
    before_mb = target.most_memory_mb

    def as_it_is() -> Awaitable[str]:
        return target.post(io.BytesIO(raw), of="50 MB")

    def in_chunks() -> Awaitable[str]:
        return target.post(chunks(raw), of="50 MB")

    def expecting() -> Awaitable[str]:
        return target.post(io.BytesIO(raw), of="50 MB", expect100=True)

    def packed(body: bytes, coding: str) -> Callable[[], Awaitable[str]]:
        return lambda: target.post(io.BytesIO(body), of="packed", headers={"Content-Encoding": coding})

    many = [as_it_is, in_chunks, expecting] * 4
    small = [packed(deflated, "deflate"), packed(deflated, "br"), packed(member, "gzip"), packed(b"none", "gzip")]
    async with target.beside("livez", target.live) as lived, target.beside("beside", target.genuine) as genuine:
        large = await all_of([*many, packed(bomb, "gzip"), packed(bomb, "x-gzip")], at_once=6)
        refused = await all_of(small * 4, at_once=4)
        await until(lambda: more_than(genuine, 20), "twenty payments beside it")
    assert large == ["too_large"] * 14
    assert refused == ["unreadable"] * 16, "packed bytes are no message, and are not unpacked to find out"
    assert set(lived) == {200}
    assert set(genuine) == {"genuine"}
    print(
        f"\n12 bodies of 50 MB and 18 packed ones, 6 at once: slowest {target.slowest['50 MB']:.2f} s, packed"
        f" {target.slowest['packed']:.2f} s, a genuine payment beside them {target.slowest['genuine'] * 1000:.0f} ms,"
        f" GET /livez {target.slowest['livez'] * 1000:.0f} ms; memory at most {before_mb:.0f} MB before,"
        f" {target.most_memory_mb:.0f} after"
    )
    assert target.slowest["genuine"] < BAR_S + target.slowest["livez"]
    assert target.most_memory_mb - before_mb < 150
    rows = await target.sql.rows(select(inbox.c.size, inbox.c.verdict, func.length(inbox.c.body).label("held")))
    kept = Counter((row.verdict, row.held) for row in rows if row.verdict == "too_large")
    assert kept == {("too_large", LIMIT): 14}
    assert all(row.size > LIMIT for row in rows if row.verdict == "too_large")
    assert sum(row.verdict == "genuine" for row in rows) >= len(genuine)


async def test_bodies_that_do_not_keep_their_word(target: Target) -> None:
    """Too short, too long, cut off, never coming: a hundred of each at once, and 500 that lack a byte of 900 kB.

    Payments are taken all the while.
    """
    whole = payment(target.keys)
    length = b"Content-Length: %d"
    slow = [head(length % (50 * MB)), *(b"x" for _ in range(10))]
    large_and_slow = [head(length % 900_000), b"x" * 899_999]
    cases: dict[str, tuple[list[bytes], bytes]] = {
        "nothing of fifty megabytes": (slow, b""),
        "all but a byte": (large_and_slow, b""),
        "half a chunk": ([head(b"Transfer-Encoding: chunked"), b"ffff\r\n", whole], b""),
        "no chunk": ([head(b"Transfer-Encoding: chunked"), b"zz\r\n" + whole], b" 400 "),
        "both lengths": ([head(length % 5, b"Transfer-Encoding: chunked"), b"0\r\n\r\n"], b" 400 "),
        "two lengths": ([head(length % 5, length % 6), b"12345"], b" 400 "),
        "a negative length": ([head(b"Content-Length: -1"), b"12345"], b" 400 "),
        "longer than announced": ([head(length % (len(whole) - 1)), whole], b" 400 "),
        "an expectation that nobody knows": ([head(length % 5, b"Expect: 200-miracle"), b"12345"], b" 417 "),
    }
    before_mb = target.most_memory_mb
    async with target.beside("beside", target.genuine) as genuine:
        for name, (raw, answered) in cases.items():
            # in one piece where there is an answer, so that it does not depend on where a packet ended
            pieces, wait_s = ([b"".join(raw)], 10.0) if answered else (raw, 0.5)
            answers = await asyncio.gather(
                *(spoken(target, pieces, wait_s) for _ in range(500 if raw is large_and_slow else 100))
            )
            assert all(answered in answer for answer in answers), (name, answers[0])
            turned_away = sum(b"HTTP/1.1 503" in answer for answer in answers)
            assert sum(b"HTTP/1.1 5" in answer for answer in answers) == turned_away, name
            assert (turned_away > 0) == (raw is large_and_slow), f"{name}: beyond those that are held and that wait"
        await until(lambda: more_than(genuine, 20), "twenty payments beside it")
    print(
        f"\n1,300 such bodies: a genuine payment beside them {target.slowest['genuine'] * 1000:.0f} ms at most;"
        f" memory at most {before_mb:.0f} MB before, {target.most_memory_mb:.0f} after"
    )
    assert set(genuine) == {"genuine"}
    assert target.most_memory_mb - before_mb < 220, "450 MB were under way at once"


FEW = {"GATEWAY_REFUSED_AN_HOUR": "300", "GATEWAY_REFUSED_BYTES_AN_HOUR": "5000000"}


@pytest.mark.parametrize("target", [FEW], indirect=True)
async def test_a_flood_of_forgeries_fills_no_disk_and_keeps_no_payment_out(target: Target) -> None:
    """1,200 forgeries, a hundred of them near the limit, with payments among them and signed nonsense after them."""
    forged = payment(target.keys).replace(b"30000.00", b"30001.00")
    large = forged.replace(b"MLIPAJI", b"x" * 900_000)
    sign = target.keys.sign
    nonsense = b"<pmtSpNtfReq><PmtHdr/></pmtSpNtfReq>"
    signed = b"<Gepg>%b<signature>%b</signature></Gepg>" % (nonsense, sign(nonsense).encode())

    def sending(body: bytes) -> Callable[[], Awaitable[str]]:
        return lambda: target.post(io.BytesIO(body), of="forged")

    async with target.beside("beside", target.genuine) as genuine:
        flood = [large if number % 12 == 0 else forged for number in range(1_200)]
        assert set(await all_of(map(sending, flood), AT_ONCE)) == {"bad_signature"}, "each is answered"
        assert await target.post(signed) == "unreadable"
        await until(lambda: more_than(genuine, 20), "twenty payments beside it")
    rows = await target.sql.rows(select(inbox.c.verdict, func.length(inbox.c.body).label("held"), inbox.c.size))
    held = [row.held for row in rows if row.verdict == "bad_signature"]
    print(
        f"\nof 1,200 forgeries of {sum(map(len, flood)) / MB:.0f} MB {len(held)} are kept,"
        f" {sum(held) / MB:.1f} MB in all"
    )
    assert len(held) == 300
    assert sum(held) <= 5_000_000 + 300 * 1_024
    assert sum(row.verdict == "genuine" for row in rows) >= len(genuine) >= 20, "every payment is"
    assert [row.held for row in rows if row.verdict == "unreadable"] == [len(signed)], "and what GePG itself signed"
    lines = target.child.tail(50_000_000).splitlines()
    assert sum("callback_refused" in line for line in lines) == 301
    assert sum("forgeries_not_kept" in line for line in lines) == 1
