"""No personal data and no secret in logs and metrics: canaries are planted wherever a log line could come from."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest
import structlog
from pytest_aiohttp import AiohttpClient
from web_world import ADDRESS, CHFID, NAME, NUMBER, PHONE, SECRET, Broken, Dial, Numbers, Registry, World, form

from gateway.web.ussd import Mount

CANARIES = [PHONE, PHONE[1:], PHONE[4:], NAME, NAME.split()[0], CHFID, NUMBER, SECRET, "1*1", "IMEISHA"]


def seen_in(text: str) -> list[str]:
    return [canary for canary in CANARIES if canary in text]


class Driver(Exception):
    """As database drivers raise: the row is in the text."""

    def __init__(self) -> None:
        super().__init__(f'duplicate key\nDETAIL:  Key (msisdn, chfid)=({PHONE}, {CHFID}) "{NAME}" already exists.')


WORLDS: list[tuple[str, World, str]] = [
    ("all is well", World(), ""),
    ("the registry raises", World(registry=Registry({"caller": Driver()})), "ussd_fact_failed"),
    ("the session store is gone", World(sessions=Broken(ConnectionError("refused"))), "ussd_store_or_budget"),
    ("the session store raises the row", World(sessions=Broken(Driver(), on_load=False)), "ussd_internal"),
    ("the bill cannot be committed", World(numbers=Numbers([Driver()])), "ussd_effect_failed"),
    (
        "a fault of ours, with the caller in every frame",
        World(registry=Registry({"caller": {"count": 1, "families": [{"state": "expired", "until": NAME}]}})),
        "ussd_internal",
    ),
]


@pytest.mark.parametrize(("world", "event"), [c[1:] for c in WORLDS], ids=[c[0] for c in WORLDS])
async def test_logs_hold_no_canary(dial: Dial, log_text: Callable[[], str], world: World, event: str) -> None:
    phone = await dial(world)
    for text in ("", "1", "1*1", f"5*1*{CHFID}"):
        await phone.send(text)
    assert event in log_text(), "the log line that this case is about"
    assert seen_in(log_text()) == []


@pytest.mark.parametrize(
    "body",
    [
        urlencode(form()).encode() + f"&phoneNumber={PHONE}".encode(),
        urlencode(form(phone=NAME)).encode(),
        urlencode(form(text="1*1")).encode() + b"\xff",
        urlencode({"sessionId": "", "phoneNumber": PHONE, "text": CHFID}).encode(),
        urlencode(form(text=PHONE * 10_000)).encode(),
    ],
)
async def test_what_cannot_be_read_is_not_logged_either(dial: Dial, log_text: Callable[[], str], body: bytes) -> None:
    phone = await dial(World())
    await phone.post(body)
    assert "ussd_unreadable" in log_text()
    assert seen_in(log_text()) == []


async def test_the_secret_of_the_address_is_never_logged(dial: Dial, log_text: Callable[[], str]) -> None:
    phone = await dial(World(networks=[]))
    for path in (ADDRESS, f"{ADDRESS}x", f"/ussd/other/{SECRET}", f"{ADDRESS}/end", f"{ADDRESS}?{SECRET}"):
        async with phone.client.post(path, data=form()) as response:
            await response.read()
    async with phone.client.request("PUT", ADDRESS) as response:
        assert response.status == 405
    assert SECRET not in log_text()
    world = World()
    assert SECRET not in repr(Mount(None, SECRET.encode(), world.networks))  # type: ignore[arg-type]


async def test_a_refused_network_is_logged_without_its_address(dial: Dial, log_text: Callable[[], str]) -> None:
    import ipaddress

    phone = await dial(World(networks=[ipaddress.ip_network("10.0.0.0/8")]))
    async with phone.client.post(ADDRESS, data=form()) as response:
        assert response.status == 404
    assert "ussd_network_refused" in log_text()
    assert SECRET not in log_text()


async def test_metrics_hold_no_canary(aiohttp_client: AiohttpClient, dial: Dial) -> None:
    world = World()
    phone = await dial(world)
    for text in ("", "1", "1*1", "9"):
        await phone.send(text)
    await phone.post(b"phoneNumber=" + PHONE.encode())
    async with (await aiohttp_client(world.operator())).get("/metrics") as response:
        text = await response.text()
    assert 'gateway_ussd_turns_total{channel="africastalking",result="continue"}' in text
    assert seen_in(text) == []
    assert "255" not in "".join(line.split("{")[1].split("}")[0] for line in text.splitlines() if "{" in line)


def test_the_capture_would_see_a_canary(log_text: Callable[[], str]) -> None:
    """A guard of the guard: what is logged is what is searched, exceptions and the standard library's included."""
    import logging

    structlog.get_logger().warning("leak", phone=PHONE)
    logging.getLogger("aiohttp.server").error("%s", NAME)
    try:
        raise ValueError(CHFID)
    except ValueError:
        logging.getLogger("aiohttp.server").exception("caught")
    assert {PHONE, NAME, CHFID} <= set(seen_in(log_text()))


# the canaries are its arguments: a traceback may show the lines of a program, and does of this one from Python 3.13 on
LEAKING = """
import logging, structlog, sys
from gateway import logs
logs.configure()
log = structlog.get_logger()
def fails(kind):
    phone, chfid = sys.argv[1:]
    try:
        try:
            raise ValueError(phone)
        except ValueError as cause:
            raise kind(f"refused {chfid}" if kind is RuntimeError else "refused") from cause
    except Exception:
        log.exception("ours")
        logging.getLogger("aiohttp.server").exception("Error handling %s", phone)
fails(RuntimeError)
fails(ConnectionError)
"""


def test_an_exception_is_logged_by_its_type_and_place(tmp_path: Path) -> None:
    """In a process of its own, with the product's own configuration: neither its text nor a variable."""
    leaking = [sys.executable, "-c", LEAKING, PHONE, CHFID]
    done = subprocess.run(leaking, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout == ""
    assert seen_in(done.stderr) == []
    ours = [json.loads(line) for line in done.stderr.splitlines() if '"ours"' in line]
    first, second = (line["exception"] for line in ours)
    assert [stack["exc_type"] for stack in first] == ["RuntimeError", "ValueError"]
    assert first[0]["frames"][-1]["name"] == "fails"
    assert second[0]["exc_value"] == "refused", "the system's own errors say nothing of people"
    assert done.stderr.count('"event":"aiohttp.server"') == 2
    assert ", in fails" in done.stderr
