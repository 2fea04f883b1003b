"""A day's account from those who write it without a line of ours: the sandbox, and the bench's generator."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from aiohttp.test_utils import TestClient, TestServer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from adapters.payments.gepg import GepgProvider
from bench import statement_data
from gateway.domain.clock import eat_day
from gateway.domain.outcomes import Accepted, Done, Refused
from gateway.ports import DayOrder, HttpResponse, Verdict
from sandbox.app import create_app
from sandbox.keys import ensure_keys
from sandbox.settings import Settings

BOTH = pytest.mark.parametrize("version", ["v5", "v4"])
YESTERDAY = eat_day(datetime.now(UTC)) - timedelta(days=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("sandbox-keys")
    ensure_keys(made)
    return made


@pytest.fixture
def ours(settings, folder, version) -> GepgProvider:
    """Set up with the sandbox's keys."""
    key = load_pem_private_key((folder / "sp.key.pem").read_bytes(), None)
    peer = x509.load_pem_x509_certificate((folder / "gepg.crt.pem").read_bytes()).public_key()
    return GepgProvider(replace(settings, version=version, private_key=key, peer_certificates=(peer,)))


def _rows(provider, path):
    reading = provider.open_statement("reconciliations", path)
    assert (reading.verdict, reading.outcome) == (Verdict.GENUINE, Done()), reading
    lines = provider.lines_of(reading)
    rows = [row for span in lines.spans(path) for row in lines.rows(path, span)]
    return reading, rows, [lines.report(path, row) for row in rows]


@BOTH
async def test_the_sandbox_takes_our_request_and_we_read_its_account(ours, folder, tmp_path, version):
    async with TestClient(TestServer(create_app(Settings(keys=folder, gateways=(), gepg_delay_s=600)))) as sandbox:

        async def ask(order):
            request = ours.day_request(order, datetime.now(UTC))
            path = request.url.removeprefix("http://127.0.0.1:8090")
            async with sandbox.post(path, data=request.body, headers=dict(request.headers)) as response:
                return ours.day_outcome(order, HttpResponse(response.status, {}, await response.read()))

        order = DayOrder(YESTERDAY, None, "7")
        assert isinstance(await ask(order), Accepted)
        refused = await ask(replace(order, day=YESTERDAY + timedelta(days=1)))
        assert isinstance(refused, Refused)
        assert refused.code == "7319"

        body = {"control_number": "199600000777", "amount": "30000.50", "msisdn": "+255754000009", "force": True}
        at = f"{YESTERDAY}T23:59:59"
        async with sandbox.post("/sandbox/pay", json={**body, "at": at, "receipt": "R1"}) as response:
            paid = await response.json()
        query = f"day={YESTERDAY}&version={version}&sp_code=SP19960"
        async with sandbox.get(f"/sandbox/reconciliation-file?{query}") as response:
            (tmp_path / "day.xml").write_bytes(await response.read())
    reading, rows, (report,) = _rows(ours, tmp_path / "day.xml")
    assert (reading.dialect, reading.provider_code) == (version, "SP19960")
    assert rows[0][:5] == (1, paid["pay_ref_id"], "199600000777", 3_000_050, "TZS")
    assert (report.receipt, report.payer_msisdn) == ("R1", "+255754000009")
    assert report.paid_at.isoformat() == f"{at}+03:00"


@BOTH
def test_the_benchs_lines_follow_from_their_numbers(ours, folder, tmp_path, version):
    numbers = [*range(1, 2_101), 7, 4_000]
    path = tmp_path / "day.xml"
    size = statement_data.write_statement(
        path, version, numbers, folder / "gepg.key.pem", date(2026, 11, 25), "SP19966", "42"
    )
    assert size == path.stat().st_size
    reading, rows, reports = _rows(ours, path)
    assert (reading.request_id, reading.provider_code, reading.dialect) == ("42", "SP19966", version)
    assert [row[1:4] for row in rows] == [
        (
            statement_data.reference_of(number),
            statement_data.control_number_of(number),
            statement_data.amount_minor_of(number),
        )
        for number in numbers
    ]
    for number, report in zip(numbers[-50:], reports[-50:], strict=True):
        assert report.bill_id == statement_data.bill_id_of(number)
        assert report.receipt == statement_data.receipt_of(number)
        assert eat_day(report.paid_at) == date(2026, 11, 25)
