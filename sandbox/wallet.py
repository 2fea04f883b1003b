"""The payer's side of GePG, and what it shows to people and tests: /sandbox/pay, redeliver, bills, payments."""

import re

from aiohttp import web

from sandbox import money
from sandbox.bodies import bad_request, count_in, flag_in, object_from, text_in, with_plus
from sandbox.gepg import Gepg, Order

MAX_REDELIVERIES = 1000
MAX_CONCURRENCY = 100


def order_from(body: dict[str, object]) -> Order:
    """Read a request to pay. Raises HTTP 400."""
    amount = money.to_minor(body.get("amount"))
    if amount is None:
        raise bad_request('amount: a decimal text in shillings is expected, like "30000.00"')
    number = text_in(body, "control_number").replace(" ", "")
    msisdn = with_plus(text_in(body, "msisdn"))
    if not re.fullmatch(r"\d{1,20}", number, re.ASCII):
        raise bad_request("control_number: digits are expected")
    if not re.fullmatch(r"\+\d{7,15}", msisdn, re.ASCII):
        raise bad_request("msisdn: a number like +255712345678 is expected")
    return Order(
        control_number=number,
        amount_minor=amount,
        msisdn=msisdn,
        channel=text_in(body, "channel", ""),
        receipt=text_in(body, "receipt", ""),
        pay_ref_id=text_in(body, "pay_ref_id", ""),
        trx_id=text_in(body, "trx_id", ""),
        bill_id=text_in(body, "bill_id", ""),
        force=flag_in(body, "force"),
    )


def routes(gepg: Gepg) -> list[web.RouteDef]:
    async def pay(request: web.Request) -> web.Response:
        return web.json_response(await gepg.pay(order_from(await object_from(request))))

    async def redeliver(request: web.Request) -> web.Response:
        body = await object_from(request)
        payment = gepg.book.payments.get(text_in(body, "pay_ref_id"))
        if payment is None:
            return web.json_response({"error": "pay_ref_id: no such payment"}, status=404)
        amount = money.to_minor(body["amount"]) if "amount" in body else None
        if "amount" in body and amount is None:
            raise bad_request("amount: a decimal text is expected")
        times = count_in(body, "times", 1, MAX_REDELIVERIES)
        concurrency = count_in(body, "concurrency", 1, MAX_CONCURRENCY)
        return web.json_response(await gepg.redeliver(payment, times, flag_in(body, "fresh"), amount, concurrency))

    async def bills(request: web.Request) -> web.Response:
        msisdn = with_plus(request.query.get("msisdn", ""))
        return web.json_response(gepg.bills_json(msisdn, request.query.get("control_number", "")))

    async def payments(request: web.Request) -> web.Response:
        return web.json_response([payment.to_json() for payment in gepg.book.payments.values()])

    return [
        web.post("/sandbox/pay", pay),
        web.post("/sandbox/redeliver", redeliver),
        web.get("/sandbox/bills", bills),
        web.get("/sandbox/payments", payments),
    ]
