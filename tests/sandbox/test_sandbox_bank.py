"""The sandbox's bank against a gateway that judges with code of its own: signatures, retries, faults, statements."""

import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from sandbox.app import create_app
from sandbox.settings import DEMO_BANK_KEY, Settings

PHONE = "+255712000003"


def mac(*parts):
    return hmac.new(DEMO_BANK_KEY.encode(), b".".join(parts), hashlib.sha256).hexdigest()


@dataclass
class Gateway:
    """Says "due" and "received"; `plan`: how the next notices are answered instead."""

    plan: list = field(default_factory=list)
    taken: list = field(default_factory=list)

    async def handle(self, request):
        action, body = request.match_info["action"], await request.read()
        stamp, signature = request.headers["X-Bank-Timestamp"], request.headers["X-Bank-Signature"]
        good = request.headers["X-Bank-Key-Id"] == "demo" and signature == mac(stamp.encode(), body)
        assert abs(int(stamp) - time.time()) < 60
        self.taken.append((action, body, good, request.content_type))
        word = self.plan.pop(0) if action == "notice" and self.plan else ""
        if not good or word == "500":
            return web.json_response({"status": "refused"}, status=500 if good else 401)
        status = {"lookup": {"status": "due", "amount": "30000.00"}, "status": {"status": "settled"}}
        said = json.dumps(status.get(action, {"status": "received"})).encode()
        bound = b"another" if word == "bound to another" else signature.encode()
        headers = {"X-Bank-Timestamp": stamp, "X-Bank-Signature": mac(stamp.encode(), bound, said)}
        return web.Response(body=said, headers=headers)

    def notices(self):
        return [(body, good) for action, body, good, _ in self.taken if action == "notice"]


@pytest.fixture
async def gateway(aiohttp_server):
    made = Gateway()
    app = web.Application()
    app.router.add_post("/payments/bank/demo/{action}", made.handle)
    made.server = await aiohttp_server(app)
    return made


@pytest.fixture
async def bank(keys, gateway, aiohttp_client):
    url = str(gateway.server.make_url("/"))
    client = await aiohttp_client(create_app(Settings(keys=keys, gateways=(url,), backoff_s=0.01)))

    async def post(path, expected=200, **body):
        async with client.post(f"/sandbox/{path}", json=body) as response:
            assert response.status == expected, await response.text()
            return await response.json()

    return post


async def test_it_looks_up_pays_and_notifies(bank, gateway):
    paid = await bank("bank/pay", chfid="071000086", msisdn=PHONE)
    assert (paid["status"], paid["attempts"], paid["lookup"]["amount"]) == ("paid", ["received"], "30000.00")
    ((body, good),) = gateway.notices()
    told = json.loads(body)
    assert good
    assert (told["reference"], told["chfid"], told["amount"], told["payer_msisdn"]) == (
        paid["reference"],
        "071000086",
        "30000.00",
        PHONE,
    )
    again = await bank("bank/pay", control_number="9941 2000 0011", amount="1.00", msisdn=PHONE)
    assert again["reference"] != paid["reference"]
    assert json.loads(gateway.notices()[1][0])["control_number"] == "994120000011"


@pytest.mark.parametrize("word", ["500", "bound to another"])
async def test_it_repeats_the_same_notice_until_it_can_believe_the_answer(bank, gateway, word):
    gateway.plan = [word, word]
    paid = await bank("bank/pay", chfid="071000086", msisdn=PHONE)
    assert paid["status"] == "paid"
    assert len(paid["attempts"]) == 3
    assert len({body for body, _ in gateway.notices()}) == 1


@pytest.mark.parametrize(
    ("fault", "arrive", "attempts"),
    [
        ("drop", [True], ["dropped", "received"]),
        ("double", [True, True], ["received"]),
        ("alter", [False, True], ["http 401", "received"]),
        ("error_after", [True, True], ["lost", "received"]),
        ("delay", [True], ["received"]),
        ("reorder", [True], ["received"]),
    ],
)
async def test_troubles_on_the_way(bank, gateway, fault, arrive, attempts):
    await bank("faults", expected=201, message="bank_notice", fault=fault, seconds=0.05)
    paid = await bank("bank/pay", chfid="071000086", msisdn=PHONE)
    assert (paid["status"], paid["attempts"]) == ("paid", attempts)
    assert [good for _, good in gateway.notices()] == arrive


async def test_a_notice_that_is_lost_for_good_is_brought_later(bank, gateway):
    await bank("faults", expected=201, message="bank_notice", fault="drop", forever=True)
    paid = await bank("bank/pay", chfid="071000086", msisdn=PHONE)
    assert paid["status"] == "undelivered"
    assert gateway.notices() == []
    assert await bank("bank/redeliver", reference=paid["reference"], times=5) == {"answers": {"received": 5}}
    assert len(gateway.notices()) == 5
    await bank("bank/redeliver", expected=404, reference="FT0")


@pytest.mark.parametrize("form", ["csv", "json"])
async def test_the_days_statement(bank, gateway, form):
    first = await bank("bank/pay", chfid="071000086", msisdn=PHONE)
    await bank("bank/pay", control_number="994120000011", amount="1500.50", msisdn=PHONE)
    day = json.loads(gateway.notices()[0][0])["paid_at"][:10]
    said = await bank("bank/statement", day=day, form=form)
    assert (said["http"], said["believed"], said["status"]) == (200, True, "received")
    action, body, good, media_type = gateway.taken[-1]
    assert (action, good, media_type) == ("statement", True, {"csv": "text/csv", "json": "application/json"}[form])
    if form == "json":
        assert json.loads(body)["lines"][0]["reference"] == first["reference"]
    else:
        lines = body.decode().splitlines()
        assert (lines[0], len(lines)) == (f"#statement,{day}", 4)
        assert lines[3].split(",")[1:4] == ["994120000011", "", "1500.50"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("pay", {"msisdn": PHONE}),
        ("pay", {"msisdn": PHONE, "chfid": "1", "control_number": "1"}),
        ("pay", {"msisdn": PHONE, "chfid": "x"}),
        ("pay", {"msisdn": PHONE, "chfid": "1", "amount": "1e3"}),
        ("statement", {"day": "yesterday"}),
        ("statement", {"day": "2026-11-25", "form": "xml"}),
    ],
)
async def test_wrong_orders_are_refused(bank, gateway, path, body):
    assert "error" in await bank(f"bank/{path}", expected=400, **body)
    assert gateway.taken == []
