"""``imis-gateway demo`` in an empty directory: ready, dialled, killed, ended, and nobody left behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest
from ports import free_ports
from processes_harness import PATIENCE_S, Child, answers, end_all_in, in_time, own_environment, processes_in

from config.settings import DatabaseSettings, ListenerSettings, Settings
from gateway.demo import plan_for
from gateway.store.tables import APPEND_ONLY

COMMAND = str(Path(sys.executable).parent / "imis-gateway")
PIDS = re.compile(r"(\w+(?: :\d+)?) \(pid (\d+)\)")
NUMBER = re.compile(r"\d{4} \d{4} \d{4}")

Start = Callable[..., "Demo"]


class Demo(Child):
    """A running demo in a folder of its own."""

    sandbox_url: str
    environment: dict[str, str]

    def wait_printed(self) -> float:
        def printed() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self.tail()
            return "Ctrl-C ends all of them" in self.tail(100_000)

        started = time.monotonic()
        in_time(printed, "what the demo prints when it is ready", said=self.tail)
        return time.monotonic() - started

    def children(self) -> dict[str, int]:
        """Living gateway and sandbox processes by what they were told to do."""
        found = {}
        for pid, command in processes_in(self.cwd).items():
            for part in ("sandbox serve", "gateway serve", "gateway work"):
                if f"-m {part}" in command:
                    ports = re.findall(r"--(?:public-port|operator-port|port) (\d+)", command)
                    found[f"{part} {ports[0]}"] = pid
        return found

    def dial(self, msisdn: str, keys: str) -> str:
        done = subprocess.run(
            [COMMAND, "dial", "--sandbox", self.sandbox_url, msisdn, "--keys", keys],
            env=self.environment,
            cwd=self.cwd,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def sandbox(self, path: str, body: object = None) -> object:
        request = urllib.request.Request(
            f"{self.sandbox_url}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
            return json.loads(response.read())

    def renew(self, msisdn: str) -> None:
        """The whole path: control number, pay, covered by SMS."""
        shown = self.dial(msisdn, "1,1")
        found = NUMBER.search(shown)
        assert found, shown
        body = {"control_number": found[0].replace(" ", ""), "amount": "30000.00", "msisdn": msisdn}
        paid = self.sandbox("/sandbox/pay", body)
        assert isinstance(paid, dict)
        assert paid["status"] == "paid"

        def covered() -> bool:
            texts = [m["text"] for m in self.sandbox(f"/sandbox/sms?to=%2B{msisdn[1:]}")]  # type: ignore[attr-defined]
            return any(paid["pay_ref_id"] in text and "ni hai" in text for text in texts)

        in_time(covered, "the SMS that says covered", said=self.tail)
        assert "HAI" in self.dial(msisdn, "00")

    def killed_and_back(self, names: list[str]) -> None:
        """``kill -9`` these at once; all must come again, as others."""
        before = self.children()
        for name in names:
            os.kill(before[name], signal.SIGKILL)

        def back() -> bool:
            now = self.children()
            if set(now) != set(before) or any(now[name] == before[name] for name in names):
                return False
            ready = [re.search(r"\d+$", name)[0] for name in now]  # type: ignore[index]
            return all(answers(f"http://127.0.0.1:{port}/readyz") == 200 for port in ready)

        in_time(back, f"{names} again", said=self.tail)

    def ended(self) -> None:
        """SIGTERM: exit code 0 and nobody left."""
        assert self.stop() == 0, self.tail()
        in_time(
            lambda: not processes_in(self.cwd), "the end of every process", said=lambda: str(processes_in(self.cwd))
        )
        said = self.tail(200_000)
        assert "Traceback" not in said, said[said.index("Traceback") - 500 :][:4_000]


@pytest.fixture
def start(tmp_path: Path, bytecode: Path | None) -> Iterator[Start]:
    """Starts a demo in an empty directory.

    Not below ``tmp_path``: PostgreSQL runs as a user of its own when we are root, and every pytest that starts
    meanwhile takes the way into its base directory from all others again.
    """
    above = Path(tempfile.mkdtemp(prefix="gw-demo-"))
    folder = above / "empty"
    made: list[Demo] = []

    def go(*arguments: str, ports: tuple[int, int, int] | None = None) -> Demo:
        folder.mkdir(exist_ok=True)
        public, operator, sandbox = ports or free_ports(3)
        environment = {
            **own_environment(bytecode),
            "GATEWAY_PUBLIC__PORT": str(public),
            "GATEWAY_OPERATOR__PORT": str(operator),
            "GATEWAY_SANDBOX__PORT": str(sandbox),
        }
        demo = Demo("demo", [COMMAND, "demo", *arguments], environment, tmp_path / "demo.log", cwd=folder)
        demo.log.unlink(missing_ok=True)
        demo.sandbox_url = f"http://127.0.0.1:{sandbox}"
        made.append(demo)
        demo.start()
        return demo

    yield go
    for demo in made:
        if demo.process is not None and demo.process.poll() is None:
            with suppress(ProcessLookupError):
                demo.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                demo.process.wait(20)
    end_all_in(folder)
    shutil.rmtree(above, ignore_errors=True)


@pytest.mark.parametrize("scaled", [False, True], ids=["small", "scaled"])
@pytest.mark.parametrize(
    ("public", "operator", "sandbox"),
    [(8080, 8081, 8090), (8080, 8082, 8084), (8080, 8082, 8081), (8080, 8076, 8086), (0, 0, 0)],
)
@pytest.mark.parametrize("url", ["sqlite:///var/gateway.db", "postgresql://127.0.0.1/imis"])
def test_ports_of_a_demo(public: int, operator: int, sandbox: int, scaled: bool, url: str) -> None:
    """All different, the named ones as named, and somebody works wherever the serving process does not."""
    settings = Settings(
        database=DatabaseSettings(url=url),
        public=ListenerSettings(port=public),
        operator=ListenerSettings(port=operator),
        sandbox=ListenerSettings(port=sandbox),
    )
    plan = plan_for(settings, scaled)
    ports = [port for pair in plan.serving for port in pair] + [*plan.workers, plan.sandbox]
    assert len(set(ports)) == len(ports) == (7 if scaled else 4 - url.startswith("sqlite"))
    assert all(0 < port < 65_536 for port in ports)
    for wanted, got in ((public, plan.serving[0][0]), (operator, plan.serving[0][1]), (sandbox, plan.sandbox)):
        assert wanted in (0, got)


def test_the_demo(start: Start) -> None:
    demo = start()
    took_s = demo.wait_printed()
    print(f"\ndemo: ready after {took_s:.1f} s")
    said = demo.tail(100_000)
    assert f"{demo.sandbox_url}/" in said
    assert "Dial *152*00#" in said
    assert len(re.findall(r"^    \+255\d{9}  ", said, re.MULTILINE)) >= 10, "whom to dial as"
    assert {name for name, _ in PIDS.findall(said)} >= {"sandbox"}
    for path in ("/", "/phone.js", "/sandbox/phones"):
        assert answers(f"{demo.sandbox_url}{path}") == 200
    demo.renew("+255712000003")
    for name in list(demo.children()):
        demo.killed_and_back([name])
    demo.renew("+255712000007")
    demo.ended()

    again = start()  # in the same directory: what was paid stays paid
    again.wait_printed()
    assert "HAI" in again.dial("+255712000003", "0")
    for pid in again.children().values():  # asked to end while it starts them again
        os.kill(pid, signal.SIGKILL)
    in_time(lambda: "starting it again" in again.tail(), "the first new start", 0.01, again.tail)
    again.ended()


def test_a_demo_is_ended_at_any_moment(start: Start) -> None:
    """SIGTERM while it is still getting ready leaves nobody behind either."""
    demo = start("--scaled")
    in_time(
        lambda: any("postgres" in command for command in processes_in(demo.cwd).values()),
        "a database server",
        said=demo.tail,
    )
    demo.ended()


def test_a_demo_on_ports_that_are_taken(start: Start) -> None:
    public, operator, sandbox = free_ports(3)
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", public))
        taken.listen()
        demo = start(ports=(public, operator, sandbox))
        assert demo.process is not None
        assert demo.process.wait(40) == 1
    assert f"cannot listen on 127.0.0.1:{public}" in demo.tail()
    assert processes_in(demo.cwd) == {}


async def test_the_demo_scaled_out(start: Start) -> None:
    public = free_ports(1)[0]
    # close together, so that ports made by adding would collide
    demo = start("--scaled", ports=(public, public + 2, public + 1))
    took_s = demo.wait_printed()
    print(f"\ndemo --scaled: ready after {took_s:.1f} s")
    children = demo.children()
    kinds = sorted(name.rsplit(" ", 1)[0] for name in children)
    assert kinds == ["gateway serve"] * 2 + ["gateway work"] * 2 + ["sandbox serve"]
    demo.renew("+255712000003")
    await _evidence_cannot_be_changed(children)
    demo.killed_and_back(list(children))
    demo.renew("+255712000007")
    demo.ended()


def _variables(pid: int) -> dict[str, str]:
    text = Path(f"/proc/{pid}/environ").read_text()
    return dict(pair.split("=", 1) for pair in text.split("\0") if "=" in pair)


async def _evidence_cannot_be_changed(children: dict[str, int]) -> None:
    """Promise 10: with the very login of a serving process."""
    pid = next(pid for name, pid in children.items() if "serve" in name and "gateway" in name)
    variables = _variables(pid)
    connection = await asyncpg.connect(variables["GATEWAY_DATABASE__URL"])
    try:
        role = await connection.fetchrow("SELECT rolname, rolsuper FROM pg_roles WHERE rolname = current_user")
        assert (role["rolname"], role["rolsuper"]) == ("gateway_app", False)
        for table in APPEND_ONLY:
            assert await connection.fetchval(f"SELECT count(*) FROM {table.name}") > 0, table.name
            column = next(iter(table.primary_key)).name
            for statement in (
                f"UPDATE {table.name} SET {column} = {column}",
                f"DELETE FROM {table.name}",
                f"TRUNCATE {table.name}",
                f"ALTER TABLE {table.name} ADD COLUMN mine int",
                f"ALTER TABLE {table.name} DISABLE TRIGGER ALL",
                f"DROP TABLE {table.name}",
                f"CREATE RULE mine AS ON INSERT TO {table.name} DO INSTEAD NOTHING",
                f"GRANT ALL ON {table.name} TO gateway_app",
            ):
                before = await connection.fetchval("SELECT relacl::text FROM pg_class WHERE relname = $1", table.name)
                try:
                    await connection.execute(statement)
                except asyncpg.InsufficientPrivilegeError:
                    continue
                after = await connection.fetchval("SELECT relacl::text FROM pg_class WHERE relname = $1", table.name)
                assert statement.startswith("GRANT"), statement
                assert before == after, "a grant without the right to it is a warning and changes nothing"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("SET ROLE postgres")
    finally:
        await connection.close()
