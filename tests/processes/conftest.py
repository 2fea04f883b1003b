"""One running gateway for each backend, shared by all tests here; each test has families of its own."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from ports import free_ports
from processes_harness import Child, Sql, Stack, World, gateway_command, in_time, own_environment, sys

from sandbox.settings import DEMO_BANK_KEY

SERVING = {"sqlite": 1, "postgresql": 2}
WORKERS = {"sqlite": 0, "postgresql": 2}
CALL_TIMEOUT_S, LEASE_S, SMS_WINDOW = 1.2, 7.0, 8
# as far as the channel's deadline lets it: a machine that stands still for seconds is not a registry that hangs
PATIENT = {"GATEWAY_USSD__REPLY_S": "8", "GATEWAY_USSD__FACT_S": "5.5", "GATEWAY_USSD__NUMBER_S": "5.5"}


@pytest.fixture(scope="session", params=("sqlite", "postgresql"))
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def bytecode(request: pytest.FixtureRequest) -> Path | None:
    """Where the children keep compiled modules when this machine lets Python write none beside their sources.

    An installation has them; without them a process takes three seconds to start, all of it compiling.
    """
    assert request.config.cache is not None
    return request.config.cache.mkdir("bytecode") if sys.dont_write_bytecode else None


@pytest.fixture(scope="session")
def fresh_database(backend: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A function that makes one more database with the demo families: its address."""
    import asyncio
    import shutil
    import threading

    names: list[str] = []

    def run(*statements: str) -> None:
        thread = threading.Thread(target=lambda: asyncio.run(server.execute(*statements)))
        thread.start()
        thread.join()

    def make() -> str:
        if backend == "sqlite":
            path = tmp_path_factory.mktemp("database") / "gateway.db"
            shutil.copy(request.getfixturevalue("sqlite_template"), path)
            return f"sqlite:///{path}"
        name = f"gw_{uuid4().hex[:12]}"
        run(f"CREATE DATABASE {name} TEMPLATE {request.getfixturevalue('postgres_template')}")
        names.append(name)
        return str(server.url(name))

    server: Any = request.getfixturevalue("postgres") if backend == "postgresql" else None
    yield make
    for name in names:
        run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def settings(
    backend: str,
    keys: Path,
    bytecode: Path | None,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, str]:
    """The environment of gateway processes on this backend, without database and ports."""
    sessions = "memory://" if backend == "sqlite" else request.getfixturevalue("valkey_url")
    return {
        **own_environment(bytecode),
        "GATEWAY_SESSIONS__URL": sessions,
        "GATEWAY_RECONCILIATION__FOLDER": str(tmp_path_factory.mktemp("statements")),
        "GATEWAY_GEPG__PRIVATE_KEY": str(keys / "sp.key.pem"),
        "GATEWAY_GEPG__PEER_CERTIFICATES": str(keys / "gepg.crt.pem"),
        "GATEWAY_BANK__DEMO__SECRET": "demo",
        "GATEWAY_BANK__DEMO__UNKNOWN_AN_HOUR": "1000000",
        "GATEWAY_BANK__DEMO__KEYS__DEMO": DEMO_BANK_KEY,
        # short, so that a lease left by a killed worker runs out while a test waits
        "GATEWAY_WORKER__CALL_TIMEOUT_S": str(CALL_TIMEOUT_S),
        "GATEWAY_WORKER__LEASE_S": str(LEASE_S),
        "GATEWAY_WORKER__SMS_WINDOW": str(SMS_WINDOW),
        "GATEWAY_USSD__COUNTS_EVERY_S": "0.5",  # a test waits for them
        **PATIENT,
        "GATEWAY_RECONCILIATION__ENABLED": "false",  # days are reconciled by the tests, when they say so
    }


@pytest.fixture(scope="session")
def stack(
    backend: str, settings: dict[str, str], fresh_database: Any, keys: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """SQLite: one serving process, the worker inside. PostgreSQL: two serving, two working, sessions in Valkey."""
    logs = tmp_path_factory.mktemp(f"logs-{backend}")
    url = fresh_database()
    serving, workers = SERVING[backend], WORKERS[backend]
    ports = free_ports(2 * serving + workers)
    bases = [f"http://127.0.0.1:{port}" for port in ports[:serving]]
    sandbox = Child(
        "sandbox",
        [sys.executable, "-m", "sandbox", "serve", "--port", "0", "--keys", str(keys), "--gateway", ",".join(bases)],
        settings,
        logs / "sandbox.log",
    )
    running = [sandbox]
    try:
        sandbox.start()
        sandbox_url = _address_in(sandbox)
        sandbox.ready = f"{sandbox_url}/readyz"
        environment = {
            **settings,
            "GATEWAY_DATABASE__URL": url,
            "GATEWAY_GEPG__URL": f"{sandbox_url}/gepg",
            "GATEWAY_AFRICASTALKING__SMS_URL": f"{sandbox_url}/africastalking/version1/messaging",
        }
        operators = [f"http://127.0.0.1:{port}" for port in ports[serving : 2 * serving]]
        made = Stack(
            backend, url, keys, environment, sandbox, sandbox_url, [], [], bases, operators, LEASE_S, SMS_WINDOW
        )
        for number in range(serving):
            public, operator = ports[number], ports[serving + number]
            command = gateway_command("serve", "--public-port", str(public), "--operator-port", str(operator))
            made.serving.append(
                Child(f"serve{number}", command, environment, logs / f"serve{number}.log", f"{bases[number]}/readyz")
            )
        for number in range(workers):
            operator = ports[2 * serving + number]
            command = gateway_command("work", "--operator-port", str(operator))
            ready = f"http://127.0.0.1:{operator}/readyz"
            made.workers.append(Child(f"work{number}", command, environment, logs / f"work{number}.log", ready))
        for child in (*made.serving, *made.workers):
            running.append(child)
            child.start()
        made.wait_ready()
        yield made
    finally:
        codes = {child.name: child.stop() for child in reversed(running) if child.process is not None}
    assert not any(codes.values()), f"every process ends well when asked to: {codes}"


def _address_in(sandbox: Child) -> str:
    def found() -> re.Match[str] | None:
        assert sandbox.process is not None
        assert sandbox.process.poll() is None, sandbox.tail()
        return re.search(r"listening on (http://127\.0\.0\.1:\d+)", sandbox.tail())

    match = in_time(found, "the sandbox's address", said=sandbox.tail)
    assert match is not None
    return match[1]


@pytest.fixture
async def world(stack: Stack) -> AsyncIterator[World]:
    sql = Sql(stack.url)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:
        made = World(stack, client, sql)
        try:
            yield made
        finally:
            for child in stack.children:  # what a failed test left dead
                if child.process is None or child.process.poll() is not None:
                    child.restart()
            await made.no_faults()
            await sql.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """What the processes said goes with a failure."""
    report = yield
    stack = getattr(item, "funcargs", {}).get("stack")
    if report.failed and isinstance(stack, Stack):
        for child in stack.children:
            report.sections.append((f"log of {child.name}", child.tail()))
    return report
