"""The phone page in a real browser: dial, press keys, see the number, pay, see the SMS; no error in the console.

Chromium is driven through its DevTools protocol over aiohttp's WebSocket, so no other dependency is needed.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from ports import free_ports

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)
EXPIRED = "+255712000003"  # a demo family whose cover has ended
PATIENCE_S = 90.0  # what only a defect reaches

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine: the phone page is not driven")


def _kept(*names: str) -> dict[str, str]:
    return {name: os.environ[name] for name in names if name in os.environ}


@pytest.fixture
def phone_url(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The page of a fresh demo on SQLite."""
    cache = request.config.cache
    assert cache is not None
    folder = tmp_path / "demo"
    folder.mkdir()
    names = ("PUBLIC", "OPERATOR", "SANDBOX")
    ports = {name: str(port) for name, port in zip(names, free_ports(3), strict=True)}
    environment = {**_kept("PATH", "HOME", "LANG"), **{f"GATEWAY_{name}__PORT": port for name, port in ports.items()}}
    log = tmp_path / "demo.log"
    with log.open("wb") as out:
        demo = subprocess.Popen(
            [sys.executable, "-m", "gateway", "demo"],
            # compiled modules, as an installation has them, where Python may not write them beside the sources
            env={**environment, "PYTHONPYCACHEPREFIX": str(cache.mkdir("bytecode"))},
            cwd=folder,
            stdout=out,
            stderr=out,
        )
    try:
        end = time.monotonic() + PATIENCE_S
        while "demo is ready" not in log.read_text():
            assert demo.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.05)
        yield f"http://127.0.0.1:{ports['SANDBOX']}/"
    finally:
        demo.terminate()  # it ends its children
        assert demo.wait(30) == 0


class Page:
    """One tab. ``faults`` gathers what the browser complains of."""

    def __init__(self, socket_: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket_
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.faults: list[str] = []
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self._socket:
            told = message.json()
            if "id" in told:
                self._answers.pop(told["id"]).set_result(told)
            elif told["method"] == "Runtime.exceptionThrown":
                self.faults.append(str(told["params"]["exceptionDetails"]))
            elif told["method"] == "Runtime.consoleAPICalled" and told["params"]["type"] in ("error", "warning"):
                self.faults.append(str(told["params"]["args"]))
            elif told["method"] == "Log.entryAdded" and told["params"]["entry"]["level"] in ("error", "warning"):
                self.faults.append(str(told["params"]["entry"]))

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._ids)
        future = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        told = await asyncio.wait_for(future, PATIENCE_S)
        assert "error" not in told, told
        return dict(told["result"])

    async def js(self, expression: str) -> Any:
        result = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    async def click(self, element: str) -> None:
        """A real click in the middle of what the expression names."""
        box = await self.js(
            f"(() => {{ const e = {element}; e.scrollIntoView({{block: 'center'}});"
            " const r = e.getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2, r.width, e.disabled === true]; })()"
        )
        x, y, width, disabled = box
        assert width > 0, f"{element} is not to be seen"
        assert not disabled, f"{element} is disabled"
        for kind in ("mousePressed", "mouseReleased"):
            await self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    async def key(self, label: str) -> None:
        """A key of the phone's own keypad."""
        await self.click(f"[...document.querySelectorAll('#keypad button')].find(b => b.firstChild.data === '{label}')")

    async def until(self, expression: str, pattern: str) -> str:
        """The text of an expression once it matches."""
        end = time.monotonic() + PATIENCE_S
        while True:
            text = str(await self.js(expression))
            if re.search(pattern, text):
                return text
            assert time.monotonic() < end, f"{expression}: {pattern!r} not seen; it says {text!r}; {self.faults}"
            await asyncio.sleep(0.05)

    async def close(self) -> None:
        await self._socket.close()
        await self._reader


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    profile = tmp_path / "profile"
    arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    arguments += ["--no-proxy-server", "--disable-background-networking", "--window-size=1200,1400"]
    process = await asyncio.create_subprocess_exec(
        CHROMIUM,
        *arguments,
        "--remote-debugging-port=0",
        f"--user-data-dir={profile}",
        "about:blank",
        env={**_kept("PATH", "LANG"), "HOME": str(tmp_path)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        port = await _debugging_port(profile, process)
        async with aiohttp.ClientSession() as client:
            async with client.put(f"http://127.0.0.1:{port}/json/new?about:blank") as response:
                address = (await response.json())["webSocketDebuggerUrl"]
            async with client.ws_connect(address, max_msg_size=0) as socket_:
                opened = Page(socket_)
                for domain in ("Page", "Runtime", "Log"):
                    await opened.call(f"{domain}.enable")
                yield opened
                await opened.close()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # the group that we started
        await process.wait()


async def _debugging_port(profile: Path, process: asyncio.subprocess.Process) -> int:
    end = time.monotonic() + PATIENCE_S
    said = profile / "DevToolsActivePort"
    while not (lines := await asyncio.to_thread(_lines, said)):
        assert process.returncode is None, "Chromium ended at once"
        assert time.monotonic() < end, "Chromium did not open its port"
        await asyncio.sleep(0.05)
    return int(lines[0])


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


async def test_a_family_renews_on_the_phone_page(phone_url: str, page: Page) -> None:
    screen = "document.getElementById('screen').textContent"
    send = "document.getElementById('call')"
    await page.call("Page.navigate", url=phone_url)
    await page.until("document.getElementById('who')?.options.length", r"^\d{2}$")
    await page.js(
        f"(() => {{ const w = document.getElementById('who'); w.value = '{EXPIRED}';"
        " w.dispatchEvent(new Event('change')); })()"
    )
    assert await page.js("document.getElementById('msisdn').value") == EXPIRED
    assert await page.js("document.getElementById('sms-count').textContent") == "0"

    await page.click(send)
    await page.until(screen, "IMEISHA")
    await page.key("1")
    await page.click(send)
    await page.until(screen, "Lipa TZS 30,000")
    await page.key("1")
    await page.click(send)
    shown = await page.until(screen, r"\d{4} \d{4} \d{4}")
    number = re.search(r"\d{4} \d{4} \d{4}", shown)
    assert number is not None
    plain = number[0].replace(" ", "")
    await page.until("document.getElementById('remark').textContent", r"^\d+ GSM-7$")

    await page.until("document.getElementById('number').value", f"^{plain}$")
    await page.until("document.getElementById('amount').value", r"^30000\.00$")
    await page.until("document.getElementById('sms').textContent", number[0])
    await page.click("document.getElementById('pay-now')")
    paid = await page.until("document.getElementById('paid').textContent", "Imelipwa / Paid")
    reference = paid.split()[-1]
    messages = await page.until("document.getElementById('sms').textContent", f"Risiti {reference}")
    assert "ni hai" in messages
    assert await page.js("document.getElementById('sms-count').textContent") == "2"
    await page.until("document.getElementById('bill').textContent", r"\(paid\)")

    await page.click("document.getElementById('hangup')")
    await page.until("document.getElementById('remark').textContent", "Umekata simu")
    await page.click(send)
    await page.until(screen, "Bima ya CHF: HAI")
    await page.click("document.getElementById('hangup')")
    await page.until("document.getElementById('remark').textContent", "Umekata simu")
    assert page.faults == []
