"""A very small service provider for the sandbox's tests, with signing and message building of its own."""

import asyncio
import base64
import inspect
import re
import time
from collections import deque
from datetime import datetime, timedelta, timezone
from pathlib import Path

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

EAT = timezone(timedelta(hours=3))


async def until(condition, timeout_s=60.0):
    """Wait for a condition, plain or asynchronous; fail when it does not come true in time."""
    end = time.monotonic() + timeout_s
    while True:
        value = condition()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value
        assert time.monotonic() < end, "it did not come true in time"
        await asyncio.sleep(0.005)


def field(raw, tag):
    text = raw.decode() if isinstance(raw, bytes) else raw
    match = re.search(f"<{tag}>([^<]*)</{tag}>", text)
    return match.group(1) if match else None


HASHES = {"v4": hashes.SHA1(), "v5": hashes.SHA256()}
ACKS_V4 = {
    "billSubResAck": ("gepgBillSubRespAck", "TrxStsCode"),
    "pmtSpNtfReqAck": ("gepgPmtSpInfoAck", "TrxStsCode"),
    "sucSpPmtResAck": ("gepgSpReconcRespAck", "ReconcStsCode"),
}
SIGNATURES = {"v4": "gepgSignature", "v5": "signature"}


class FakeGateway:
    """Answers callbacks with signed acknowledgements; `plan` holds how the next ones are answered instead.

    A plan's word: an HTTP status, a status code, 'bad-signature', 'wrong-id', 'hang', or 'as-v5': v4 in v5's signature.
    """

    def __init__(self, keys: Path):
        self.key = serialization.load_pem_private_key((keys / "sp.key.pem").read_bytes(), None)
        self.gepg = x509.load_pem_x509_certificate((keys / "gepg.crt.pem").read_bytes()).public_key()
        self.plan = deque()
        self.bills, self.payments, self.days, self.ussd, self.ended = [], [], [], [], []
        self.ussd_answer = lambda form: (200, b"END Kwaheri")

    def app(self):
        app = web.Application()
        app.router.add_post("/payments/gepg/bills", self._bill)
        app.router.add_post("/payments/gepg/payments", self._payment)
        app.router.add_post("/payments/gepg/reconciliations", self._day)
        app.router.add_post("/ussd/africastalking/demo", self._ussd)
        app.router.add_post("/ussd/africastalking/demo/end", self._end)
        return app

    def sign(self, element: str, version="v5") -> bytes:
        signature = base64.b64encode(self.key.sign(element.encode(), padding.PKCS1v15(), HASHES[version])).decode()
        tag = SIGNATURES[version]
        return f"<Gepg>{element}<{tag}>{signature}</{tag}></Gepg>".encode()

    def check(self, raw: bytes) -> bool:
        """Whether GePG signed these bytes, as the generation of their root does."""
        version = "v4" if raw.startswith(b"<Gepg><gepg") else "v5"
        tag = SIGNATURES[version].encode()
        body, signature = re.fullmatch(rb"<Gepg>(.*)<%b>(.*)</%b></Gepg>" % (tag, tag), raw, re.S).groups()
        try:
            self.gepg.verify(base64.b64decode(signature), body, padding.PKCS1v15(), HASHES[version])
        except Exception:
            return False
        return True

    async def _bill(self, request):
        raw = await request.read()
        self.bills.append(raw)
        return await self._ack("billSubResAck", "ResId", raw)

    async def _payment(self, request):
        raw = await request.read()
        self.payments.append(raw)
        return await self._ack("pmtSpNtfReqAck", "ReqId", raw)

    async def _day(self, request):
        raw = await request.read()
        self.days.append(raw)
        return await self._ack("sucSpPmtResAck", "ResId", raw)

    async def _ack(self, tag, id_tag, raw):
        plan = self.plan.popleft() if self.plan else "7101"
        if isinstance(plan, int):
            return web.Response(status=plan)
        if plan == "hang":
            await asyncio.Event().wait()
        code = plan if plan.isdigit() else "7101"
        if not self.check(raw):
            code = "7303"
        if raw.startswith(b"<Gepg><gepg"):
            tag, code_tag = ACKS_V4[tag]
            ack = self.sign(f"<{tag}><{code_tag}>{code}</{code_tag}></{tag}>", "v5" if plan == "as-v5" else "v4")
            return web.Response(body=ack.replace(b">7101<", b">7102<") if plan == "bad-signature" else ack)
        value = "other" if plan == "wrong-id" else field(raw, id_tag)
        ack = self.sign(f"<{tag}><AckId>A1</AckId><{id_tag}>{value}</{id_tag}><AckStsCode>{code}</AckStsCode></{tag}>")
        return web.Response(body=ack.replace(b">A1<", b">A2<") if plan == "bad-signature" else ack)

    async def _ussd(self, request):
        form = dict(await request.post())
        self.ussd.append((form, dict(request.headers)))
        status, body = self.ussd_answer(form)
        return web.Response(status=status, body=body, headers={"at-ussd-hop-metadata": f"step{len(self.ussd)}"})

    async def _end(self, request):
        self.ended.append(dict(await request.post()))
        return web.Response(status=404)


HEADERS = {
    "Gepg-Code": "SP19960",
    "Gepg-Com": "default.sp.in",
    "Gepg-Alg": "00S2",
    "Content-Type": "application/xml",
}


def submission(bill_id="b-1", drop=(), **changes) -> str:
    """A bill submission element, in the order that public senders use, with some fields changed or left out."""
    now = datetime.now(EAT)
    reuse = changes.pop("reuse", None)
    header = {
        "ReqId": "REQ" + bill_id,
        "SpGrpCode": "SP19960",
        "SysCode": "TIMIS001",
        "BillTyp": "1",
        "PayTyp": "1",
        "GrpBillId": bill_id,
        **({"CustCntrNum": reuse} if reuse else {}),
    }
    detail = {
        "BillId": bill_id,
        "SpCode": "SP19960",
        "CollCentCode": "HQ",
        "BillDesc": "Bima ya afya",
        "CustTin": "",
        "CustId": "070707081",
        "CustIdTyp": "5",
        "CustAccnt": "070707081",
        "CustName": "ASHA &amp; JUMA",
        "CustCellNum": "255712000001",
        "CustEmail": "",
        "BillGenDt": (now - timedelta(seconds=5)).strftime("%Y-%m-%dT%H:%M:%S"),
        "BillExprDt": (now + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%S"),
        "BillGenBy": "imis",
        "BillApprBy": "imis",
        "BillAmt": "30000.00",
        "BillEqvAmt": "30000.00",
        "MinPayAmt": "30000.00",
        "Ccy": "TZS",
        "ExchRate": "1.00",
        "BillPayOpt": "3",
        "PayPlan": "1",
        "PayLimTyp": "1",
        "PayLimAmt": "0.00",
        "CollPsp": "",
    }
    item = {
        "RefBillId": bill_id,
        "SubSpCode": "1001",
        "GfsCode": "142202380001",
        "BillItemRef": "1",
        "UseItemRefOnPay": "N",
        "BillItemAmt": "30000.00",
        "BillItemEqvAmt": "30000.00",
        "CollSp": "SP19960",
    }

    def inner(fields):
        return "".join(f"<{tag}>{changes.get(tag, text)}</{tag}>" for tag, text in fields.items() if tag not in drop)

    return (
        f"<billSubReq><BillHdr>{inner(header)}</BillHdr><BillDtls><BillDtl>{inner(detail)}"
        f"<BillItems><BillItem>{inner(item)}</BillItem></BillItems></BillDtl></BillDtls></billSubReq>"
    )
