"""The phone: the aggregator behind it, the page, the demo numbers, the terminal, and the process itself."""

import asyncio
import io
import json
import os
import re
import signal
import sys
from pathlib import Path

import aiohttp
import pytest
from fake_gateway import HEADERS, submission, until

from sandbox import terminal
from sandbox.__main__ import main
from sandbox.aggregator import MMI_ERROR, network_of, split_dial

PHONE = "+255712000001"


def _menu(form):
    answers = {"": b"CON 1 Salio\n0 Toka", "1": "CON Ng’ombe 1".encode(), "1*2": b"END Asante"}
    return 200, answers.get(form["text"], b"END ?")


async def _dial(bench, code="*152*00#"):
    return await bench.post("/sandbox/ussd/dial", msisdn=PHONE, code=code)


async def _answer(bench, session_id, text):
    return await bench.post("/sandbox/ussd/answer", session_id=session_id, input=text)


async def test_a_session_sends_its_whole_history(bench):
    bench.gateway.ussd_answer = _menu
    screen = await _dial(bench)
    assert (screen["state"], screen["text"], screen["fits"]) == ("CON", "1 Salio\n0 Toka", True)
    session_id = screen["session_id"]
    assert re.fullmatch(r"ATUid_[0-9a-f]{32}", session_id)
    assert (await _answer(bench, session_id, "1"))["alphabet"] == "UCS-2"
    assert (await _answer(bench, session_id, "2"))["state"] == "END"
    forms = [form for form, _ in bench.gateway.ussd]
    assert [form["text"] for form in forms] == ["", "1", "1*2"]
    assert forms[0] == {
        "sessionId": session_id,
        "phoneNumber": PHONE,
        "networkCode": "64002",
        "serviceCode": "*152*00#",
        "text": "",
    }
    assert [headers.get("at-ussd-hop-metadata") for _, headers in bench.gateway.ussd] == [None, "step1", "step2"]
    (end,) = await until(lambda: bench.gateway.ended)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", end.pop("date"))
    assert end.pop("durationInMillis").isdigit()
    assert end == {
        **{name: value for name, value in forms[0].items() if name != "text"},
        "status": "Success",
        "cost": "TZS 0.00",
        "hopsCount": "3",
        "hopsMetadata": "step1|step2|step3",
        "input": "1*2",
        "lastAppResponse": "Asante",
    }
    assert "over" in (await _answer(bench, session_id, "1"))["problem"]
    assert len(bench.gateway.ussd) == 3


async def test_a_dial_string_may_carry_answers(bench):
    bench.gateway.ussd_answer = _menu
    assert (await _dial(bench, "*152*00*1*2#"))["text"] == "Asante"
    assert bench.gateway.ussd[0][0]["text"] == "1*2"
    assert bench.gateway.ussd[0][0]["serviceCode"] == "*152*00#"


@pytest.mark.parametrize(
    ("dialled", "found"),
    [
        ("*152*00#", ("*152*00#", "")),
        ("*152*00*1#", ("*152*00#", "1")),
        ("*152*00*#", None),
        ("*152*001#", None),
        ("*150*00#", None),
        ("*152*00*1", None),
    ],
)
def test_split_dial(dialled, found):
    assert split_dial(dialled, ("*152*00#",)) == found


def test_networks():
    numbers = ["+255754000001", "+255784000001", "+255622000001", "+255732000001", "+254700000001"]
    assert [network_of(number) for number in numbers] == ["64004", "64005", "64009", "64007", "99999"]


@pytest.mark.parametrize(
    ("status", "reply"),
    [
        (200, b""),
        (200, b"Hello"),
        (200, b" CON x"),
        (200, b"CON\nx"),
        (200, b"\xef\xbb\xbfCON x"),
        (200, b"CON \xff"),
        (403, b"CON x"),
        (500, b""),
    ],
)
async def test_a_bad_reply_shows_the_networks_sentence(bench, status, reply):
    bench.gateway.ussd_answer = lambda form: (status, reply)
    screen = await _dial(bench)
    assert (screen["state"], screen["text"]) == ("END", MMI_ERROR)
    assert screen["problem"]
    (end,) = await until(lambda: bench.gateway.ended)
    assert (end["status"], end["errorMessage"]) == ("Failed", screen["problem"])


async def test_no_gateway_and_no_service(start):
    bench = await start(gateways=("http://127.0.0.1:9",))
    assert "not reachable" in (await _dial(bench))["problem"]
    assert "no service" in (await _dial(bench, "*999#"))["problem"]


async def test_hanging_up_tells_incomplete(bench):
    bench.gateway.ussd_answer = _menu
    session_id = (await _dial(bench))["session_id"]
    assert await bench.post("/sandbox/ussd/hangup", session_id=session_id) == {"ended": True}
    (end,) = await until(lambda: bench.gateway.ended)
    assert (end["status"], end["lastAppResponse"]) == ("Incomplete", "1 Salio\n0 Toka")
    assert await bench.post("/sandbox/ussd/hangup", session_id=session_id) == {"ended": False}


async def test_a_session_expires(start):
    bench = await start(ussd_session_s=0.05)
    bench.gateway.ussd_answer = _menu
    session_id = (await _dial(bench))["session_id"]
    (end,) = await until(lambda: bench.gateway.ended)
    assert end["status"] == "Incomplete"
    assert (await _answer(bench, session_id, "1"))["problem"]


async def test_the_page_needs_nothing_from_outside(bench):
    async with bench.http.get("/") as response:
        page = await response.text()
        assert "default-src 'self'" in response.headers["Content-Security-Policy"]
    assert page == await (await bench.http.get("/phone")).text()
    for name in re.findall(r'(?:src|href)="(/[^"]+)"', page):
        async with bench.http.get(name) as response:
            assert response.status == 200
            page += await response.text()
    assert "http://" not in page
    assert "https://" not in page
    ids = set(re.findall(r'id="([\w-]+)"', page))
    assert set(re.findall(r'\$\("([\w-]+)"\)', page)) <= ids


async def test_demo_numbers(start, tmp_path):
    path = tmp_path / "phones.json"
    bench = await start(phones=path)
    assert await bench.get("/sandbox/phones") == []
    path.write_text(json.dumps([{"msisdn": PHONE, "who": "Asha", "more": 1}]))
    assert await bench.get("/sandbox/phones") == [{"msisdn": PHONE, "who": "Asha"}]
    path.write_text("{")
    assert await bench.get("/sandbox/phones") == []


# --- the terminal ----------------------------------------------------------------------------------------------


async def test_the_terminal_plays_keys(bench):
    bench.gateway.ussd_answer = _menu
    form = {"username": "imis", "to": PHONE, "message": "Asante kwa kulipa", "from": "NHIF"}
    await bench.http.post("/africastalking/version1/messaging", data=form, headers={"apiKey": "k"})
    out = io.StringIO()
    code = await asyncio.to_thread(terminal.run_dial, bench.url, PHONE, "*152*00#", ["1", "2"], None, out)
    assert code == 0
    screens = out.getvalue()
    assert "| 1 Salio                     |\n| 0 Toka                      |\n" in screens
    assert "> 1\n" in screens
    assert "| Asante                      |" in screens
    assert "NHIF: Asante kwa kulipa" in screens


async def test_the_terminal_reads_lines_and_hangs_up(bench):
    bench.gateway.ussd_answer = _menu
    out = io.StringIO()
    code = await asyncio.to_thread(terminal.run_dial, bench.url, PHONE, "*152*00#", None, io.StringIO("1\nh\n"), out)
    assert code == 0
    assert "- hung up -" in out.getvalue()
    (end,) = await until(lambda: bench.gateway.ended)
    assert (end["status"], end["input"]) == ("Incomplete", "1")


async def test_the_terminals_exit_codes(bench, capsys):
    bench.gateway.ussd_answer = _menu
    argv = [PHONE, "--sandbox", bench.url, "--keys", "1"]
    assert await asyncio.to_thread(terminal.main, argv) == 0
    assert await asyncio.to_thread(main, ["dial", *argv]) == 0
    assert await asyncio.to_thread(terminal.main, [PHONE, "*999#", "--sandbox", bench.url, "--keys", ""]) == 1
    assert terminal.main([PHONE, "--sandbox", "http://127.0.0.1:9", "--keys", "1"]) == 1
    assert terminal.main(["asha"]) == 2
    assert terminal.main([PHONE, "152"]) == 2
    assert terminal.main([]) == 2
    assert main(["nothing"]) == 2
    capsys.readouterr()


def test_a_long_line_is_wrapped():
    lines = terminal.box("Karibu katika huduma ya bima ya afya ya jamii").splitlines()
    assert {len(line) for line in lines} == {31}
    assert len(lines) == 4


# --- the process -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_process_starts_and_stops_cleanly(keys, gateway, number):
    """Also while a request is held up and a background task is running."""
    root = Path(__file__).parents[2]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", "serve", "--port", "0", "--keys", str(keys), "--gateway", gateway.url,
        "--gepg-delay-s", "60", cwd=root, stderr=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONWARNINGS": "error"},
    )  # fmt: skip
    try:
        line = (await asyncio.wait_for(process.stderr.readline(), 60)).decode()
        url = re.search(r"listening on (http://127\.0\.0\.1:\d+)", line).group(1)
        async with aiohttp.ClientSession(url) as session:
            raw = gateway.sign(submission())
            await session.post("/gepg/api/bill/20/submission", data=raw, headers=HEADERS)
            await session.post("/sandbox/faults", json={"message": "sms", "fault": "reorder"})
            held = asyncio.create_task(session.post("/africastalking/version1/messaging", data={}))

            async def in_use():
                async with session.get("/sandbox/faults") as response:
                    return await response.json() == []

            await until(in_use)
            process.send_signal(number)
            rest = await asyncio.wait_for(process.stderr.read(), 60)
            assert await asyncio.wait_for(process.wait(), 60) == 0
            assert b"Traceback" not in rest
            assert (await held).status == 401, "what was held is let go"
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_readiness(bench):
    assert await bench.get("/readyz") == {"ready": True}
