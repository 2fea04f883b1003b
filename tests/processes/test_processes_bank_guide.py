"""docs/bank.md as a bank's engineer reads it: its commands, run as they stand, print what it shows."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import re
import shlex
import sys
from pathlib import Path

import pytest
from processes_harness import World

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = (DOCS / "bank.md").read_text("utf-8")
# (command, what it prints)
SHOWN = [
    (command, output.strip())
    for block in re.findall(r"```console\n(.*?)```", GUIDE, re.S)
    for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.M)
]
CLIENT = [(command, output) for command, output in SHOWN if command.startswith("python bank_client.py")]
VECTORS = [(command, output) for command, output in SHOWN if command.startswith("printf")]


def undated(text: str) -> str:
    return re.sub(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d)?", "<day>", text)


async def run(world: World, *arguments: str, **environment: str) -> tuple[int, str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    url = f"{world.stack.bases[0]}/payments/bank/demo"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(DOCS / "bank_client.py"),
        *arguments,
        env={**kept, "BANK_URL": url, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, out.decode().strip(), err.decode().strip()


async def test_each_command_prints_what_the_guide_shows(world: World) -> None:
    assert len(CLIENT) == 6
    for command, shown in CLIENT:
        code, printed, told = await run(world, *shlex.split(command)[2:])
        assert undated(printed) == undated(shown), told
        assert code == (1 if '"refused"' in shown else 0)
        await world.quiet()


async def test_what_cannot_be_believed_is_told_apart(world: World) -> None:
    question = ("lookup", "--chfid", "071000101")
    assert (await run(world, *question))[0] == 0
    code, printed, told = await run(world, *question, BANK_KEY="not-the-key-that-the-gateway-has")
    assert (code, printed) == (2, "")
    assert told.startswith("HTTP 401, not signed by the gateway")
    code, _, told = await run(world, *question, BANK_URL=f"{world.stack.bases[0]}/payments/bank/other")
    assert (code, told[:8]) == (2, "HTTP 404")


async def test_the_client_repeats_until_it_is_answered(world: World) -> None:
    """The first connection is lost without a word; the second reaches the gateway."""
    host, gateway_port = world.stack.bases[0].removeprefix("http://").split(":")
    met: list[int] = []

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.append(1)
        if len(met) == 1:
            writer.close()
            return
        there, back = await asyncio.open_connection(host, int(gateway_port))

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while chunk := await source.read(65_536):
                sink.write(chunk)
                await sink.drain()
            sink.close()

        await asyncio.gather(pump(reader, back), pump(there, writer))

    async with await asyncio.start_server(pass_on, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}/payments/bank/demo"
        code, printed, told = await run(world, "lookup", "--chfid", "071000101", BANK_URL=url)
    assert (code, '"status": "due"' in printed, len(met)) == (0, True, 2), told


@pytest.mark.parametrize(("command", "shown"), VECTORS)
def test_the_worked_signatures_are_right(command: str, shown: str) -> None:
    words = shlex.split(command)
    signed, key = words[2], words[-1]
    assert shown == f"SHA2-256(stdin)= {hmac.new(key.encode(), signed.encode(), hashlib.sha256).hexdigest()}"


def test_the_guide_knows_every_code_of_the_contract() -> None:
    codes = set(re.findall(r'"(PAY-[A-Z-]+)"', (DOCS / "bank-openapi.json").read_text("utf-8")))
    assert codes == set(re.findall(r"`(PAY-[A-Z-]+)`", GUIDE))
    assert len(VECTORS) == 2
