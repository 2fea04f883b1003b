"""docs/bank-openapi.json held against the running routes: its examples, and whatever else it allows or forbids."""

from __future__ import annotations

import asyncio
import json
import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
import schemathesis
from aiohttp import web
from biller_world import KEYS, SECRETS, Open, Opened, Registry, mac
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from web_world import NOW

from adapters.payments.bank.codes import sentence
from adapters.payments.bank.limits import MAX_REFERENCE
from gateway.domain.cases import ACTS, Act
from gateway.domain.errors import CASE_CODES, ERRORS
from gateway.domain.payments import CaseKind
from gateway.ports import NotDue, Standing, StandingOf, StandingState, StatementReceiver
from gateway.web.replies import response_of

PATH = Path(__file__).parents[2] / "docs" / "bank-openapi.json"
DOCUMENT: dict[str, Any] = json.loads(PATH.read_text("utf-8"))
SCHEMA = schemathesis.openapi.from_path(PATH)
OPERATIONS = {found.ok().path.lstrip("/"): found.ok() for found in SCHEMA.get_all_operations()}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = [
    (action, media_type, name, example["value"])
    for action in OPERATIONS
    for media_type, content in DOCUMENT["paths"][f"/{action}"]["post"]["requestBody"]["content"].items()
    for name, example in content["examples"].items()
]


@pytest.fixture
async def bank(opened: Open, tmp_path: Path) -> Opened:
    """Due for control numbers, paid for insurance numbers, and somebody who takes statements."""

    async def take(request: web.Request, receiver: StatementReceiver, route: str) -> web.StreamResponse:
        path = tmp_path / "statement"
        path.write_bytes(await request.read())
        headers = {name.lower(): value for name, value in request.headers.items()}
        return response_of(receiver.acknowledge_statement(receiver.open_statement(route, path, headers), "I1"))

    def answers(question: Any) -> Any:
        if isinstance(question, StandingOf):
            return Standing(StandingState.UNKNOWN)
        return Registry().answers(question) if question.control_number else NotDue("PAY-TWICE")

    made: Opened = await opened(registry=Registry(answers), take_statement=take)
    return made


def base(bank: Opened) -> str:
    return str(bank.client.make_url(f"/payments/bank/{SECRETS['crdb']}"))


def sent(prepared: requests.PreparedRequest) -> tuple[requests.Response, bool]:
    """Signed and sent; whether the answer can be believed."""
    body = prepared.body or b""
    body = body.encode() if isinstance(body, str) else body
    stamp = str(int(NOW.timestamp()))
    signature = mac(KEYS["crdb"], f"{stamp}.".encode() + body)
    prepared.headers.update({"X-Bank-Key-Id": "k1", "X-Bank-Timestamp": stamp, "X-Bank-Signature": signature})
    with requests.Session() as session:
        response = session.send(prepared, timeout=10)
    theirs = f"{response.headers.get('X-Bank-Timestamp', '')}.{signature}.".encode() + response.content
    return response, response.headers.get("X-Bank-Signature") == mac(KEYS["crdb"], theirs)


@pytest.mark.parametrize(("action", "media_type", "name", "value"), EXAMPLES, ids=[f"{e[0]}-{e[2]}" for e in EXAMPLES])
async def test_an_example_is_taken_as_it_stands(
    bank: Opened, action: str, media_type: str, name: str, value: Any
) -> None:
    body = value if isinstance(value, str) else json.dumps(value)
    request = requests.Request("POST", f"{base(bank)}/{action}", data=body, headers={"Content-Type": media_type})
    response, believed = await asyncio.to_thread(sent, request.prepare())
    assert (response.status_code, believed) == (200, True), response.text
    OPERATIONS[action].validate_response(response)
    if action != "lookup":
        shown = DOCUMENT["paths"][f"/{action}"]["post"]["responses"]["200"]["content"]["application/json"]["examples"]
        shapes = [set(example["value"]) for example in shown.values()]
        assert set(response.json()) in shapes, "an answer as the document shows it"


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("action", ["lookup", "notice", "status"])
async def test_whatever_the_document_allows_or_forbids_is_answered_as_it_says(
    bank: Opened, action: str, mode: GenerationMode
) -> None:
    url, operation = base(bank), OPERATIONS[action]
    seen: set[int] = set()

    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy(generation_mode=mode))
    def answered(case: Any) -> None:
        wanted = case.as_transport_kwargs(base_url=url)
        prepared = requests.Request(
            "POST", f"{url}/{action}", json=wanted.get("json"), data=wanted.get("data"),
            headers={"Content-Type": "application/json"},
        ).prepare()  # fmt: skip
        response, believed = sent(prepared)
        assert believed or response.status_code == 413, "it was signed and read, so the answer is signed"
        case.validate_response(response, checks=CHECKS)
        seen.add(response.status_code)

    await asyncio.to_thread(answered)
    assert (200 if mode is GenerationMode.POSITIVE else 400) in seen, seen


@pytest.mark.parametrize("suffix", ["csv", "json"])
async def test_the_sample_client_sends_a_statement(
    bank: Opened, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    media_type = {"csv": "text/csv", "json": "application/json"}[suffix]
    (value,) = [e[3] for e in EXAMPLES if e[:2] == ("statement", media_type)]
    file = tmp_path / f"day.{suffix}"
    file.write_text(value if isinstance(value, str) else json.dumps(value))
    client = runpy.run_path(str(PATH.parent / "bank_client.py"))
    known = client["main"].__globals__
    monkeypatch.setitem(known, "URL", base(bank))
    monkeypatch.setitem(known, "KEY_ID", "k1")
    monkeypatch.setitem(known, "KEY", KEYS["crdb"])
    monkeypatch.setitem(known, "time", SimpleNamespace(time=NOW.timestamp, sleep=lambda _s: None))
    monkeypatch.setattr("sys.argv", ["bank_client.py", "statement", "--file", str(file)])
    assert await asyncio.to_thread(client["main"]) == 0
    assert json.loads(capsys.readouterr().out) == {"status": "received", "day": "2026-11-25"}


def test_the_document_knows_the_codes_and_bounds_of_the_program() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    standing = set(schemas["Standing"]["properties"]["code"]["enum"])
    not_due = set(schemas["NotDue"]["properties"]["code"]["enum"])
    holds_money = {kind for kind, acts in ACTS.items() if Act.CLOSE not in acts}
    never = {CaseKind.OTHER_PAYEE}  # a bank's notice names no service provider
    assert standing == {CASE_CODES[kind] for kind in holds_money - never}
    assert not_due <= {*standing, "PAY-EXPIRED"}
    for code in (*standing, *not_due, *schemas["Refused"]["properties"]["code"]["enum"]):
        assert ERRORS[code]
        assert sentence(code)
    for name, status in (("PAY-LIMIT", "429"), ("PAY-NO-ANSWER", "503")):
        assert str(ERRORS[name].http_status) == status
        assert status in DOCUMENT["paths"]["/lookup"]["post"]["responses"]
    assert f"{{0,{MAX_REFERENCE - 1}}}" in schemas["StatusQuestion"]["properties"]["reference"]["pattern"]
