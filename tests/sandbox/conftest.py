"""A sandbox and a fake gateway on loopback ports that the system chooses."""

from dataclasses import dataclass

import pytest
from aiohttp.test_utils import TestClient, TestServer
from fake_gateway import HEADERS, FakeGateway, field, submission, until
from fake_v4 import HEADERS_V4, V4, bill, submission_v4

from sandbox import clock
from sandbox.app import create_app
from sandbox.keys import ensure_keys
from sandbox.settings import Settings


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    directory = tmp_path_factory.mktemp("keys")
    ensure_keys(directory)
    return directory


@pytest.fixture
async def gateway(keys, aiohttp_server):
    fake = FakeGateway(keys)
    fake.server = await aiohttp_server(fake.app())
    fake.url = str(fake.server.make_url("/")).rstrip("/")
    return fake


@dataclass
class Bench:
    """A running sandbox, the gateway behind it, and the few things that every test does with them."""

    http: TestClient
    gateway: FakeGateway

    @property
    def url(self):
        return str(self.http.make_url("/")).rstrip("/")

    async def submit(self, element, **headers):
        """Sign and send; the acknowledgement as text."""
        return await self.submit_raw(self.gateway.sign(element), **headers)

    async def submit_raw(self, raw, **headers):
        sent = {name: value for name, value in {**HEADERS, **headers}.items() if value is not None}
        async with self.http.post("/gepg/api/bill/20/submission", data=raw, headers=sent) as response:
            assert response.status == 200
            body = await response.read()
        assert self.gateway.check(body)
        return body.decode()

    async def numbered(self, bill_id="b-1", **changes):
        """Submit a bill and wait for its control number."""
        seen = len(self.gateway.bills)
        ack = await self.submit(submission(bill_id, **changes))
        assert field(ack, "AckStsCode") == "7101", ack
        await until(lambda: len(self.gateway.bills) > seen)
        return field(self.gateway.bills[-1], "BillCntrNum")

    async def send_v4(self, path, element, **headers):
        """Sign and send as v4; the answer as text."""
        return await self.send_v4_raw(path, self.gateway.sign(element, "v4"), **headers)

    async def send_v4_raw(self, path, raw, **headers):
        sent = {name: value for name, value in {**HEADERS_V4, **headers}.items() if value is not None}
        async with self.http.post(path, data=raw, headers=sent) as response:
            assert response.status == 200
            body = await response.read()
        assert body.startswith(b"<Gepg><gepg")
        assert self.gateway.check(body)
        return body.decode()

    async def numbered_v4(self, bill_id="b-1", **changes):
        """Submit a bill as v4 and wait for its control number."""
        seen = len(self.gateway.bills)
        ack = await self.send_v4(V4, submission_v4(bill(bill_id, **changes)))
        assert field(ack, "TrxStsCode") == "7101", ack
        await until(lambda: len(self.gateway.bills) > seen)
        return field(self.gateway.bills[-1], "PayCntrNum")

    async def get(self, path):
        async with self.http.get(path) as response:
            return await response.json()

    async def post(self, path, status=200, **body):
        async with self.http.post(path, json=body) as response:
            reply = await response.json()
            assert response.status == status, reply
            return reply

    async def fault(self, message, kind, times=1, **more):
        return await self.post("/sandbox/faults", status=201, message=message, fault=kind, times=times, **more)

    async def fault_taken(self):
        """Wait until every ordered fault is in use."""

        async def none_left():
            return await self.get("/sandbox/faults") == []

        await until(none_left)

    async def acknowledged(self, bill_id="b-1"):
        """Wait until the number of a bill is acknowledged."""

        async def yes():
            return (await self.bill(bill_id))["acknowledged"]

        await until(yes)

    async def pay(self, number, amount="30000.00", **more):
        return await self.post("/sandbox/pay", control_number=number, amount=amount, msisdn="+255754000009", **more)

    async def bill(self, bill_id="b-1"):
        return next(bill for bill in await self.get("/sandbox/bills") if bill["bill_id"] == bill_id)


@pytest.fixture
async def start(keys, gateway, aiohttp_client):
    """Start a sandbox with quick times; keyword arguments change its settings, `now` is its clock."""

    async def run(now=clock.now, **changes):
        quick = {
            "keys": keys,
            "gateways": (gateway.url,),
            "gepg_delay_s": 0.0,
            "backoff_s": 0.01,
            "backoff_max_s": 0.05,
            "callback_timeout_s": 2.0,
            "ussd_timeout_s": 2.0,
        }
        client = await aiohttp_client(TestServer(create_app(Settings(**{**quick, **changes}), now)))
        return Bench(client, gateway)

    return run


@pytest.fixture
async def bench(start):
    return await start()
