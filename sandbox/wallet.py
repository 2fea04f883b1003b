"""The payer's side of GePG, and what it shows to people and tests: /sandbox/pay, redeliver, bills, payments."""

import re
from collections.abc import Callable
from datetime import datetime

from aiohttp import web

from sandbox import clock, money
from sandbox.bodies import bad_request, count_in, flag_in, moment_in, object_from, text_in, with_plus
from sandbox.gepg import Gepg, Order

MAX_REDELIVERIES = 1000
MAX_TOGETHER = 100
MAX_CONCURRENCY = 100


def order_from(body: dict[str, object], now: datetime) -> Order:
    """Read a request to pay. Raises HTTP 400."""
    amount = money.to_minor(body.get("amount"))
    if amount is None:
        raise bad_request('amount: a decimal text in shillings is expected, like "30000.00"')
    return Order(
        control_number=_number(text_in(body, "control_number")),
        amount_minor=amount,
        msisdn=_msisdn(body),
        channel=text_in(body, "channel", ""),
        receipt=text_in(body, "receipt", ""),
        pay_ref_id=text_in(body, "pay_ref_id", ""),
        trx_id=text_in(body, "trx_id", ""),
        bill_id=text_in(body, "bill_id", ""),
        at=moment_in(body, now),
        force=flag_in(body, "force"),
    )


def _number(text: str) -> str:
    number = text.replace(" ", "")
    if not re.fullmatch(r"\d{1,20}", number, re.ASCII):
        raise bad_request("control_number: digits are expected")
    return number


def _msisdn(body: dict[str, object]) -> str:
    msisdn = with_plus(text_in(body, "msisdn"))
    if not re.fullmatch(r"\+\d{7,15}", msisdn, re.ASCII):
        raise bad_request("msisdn: a number like +255712345678 is expected")
    return msisdn


def _numbers(listed: object) -> list[str]:
    """The numbers that are paid in one transaction. Raises HTTP 400."""
    if not isinstance(listed, list) or not 2 <= len(listed) <= MAX_TOGETHER:
        raise bad_request(f"control_numbers: a list of 2 to {MAX_TOGETHER} numbers is expected")
    numbers = [_number(each) if isinstance(each, str) else "" for each in listed]
    if "" in numbers or len(set(numbers)) != len(numbers):
        raise bad_request("control_numbers: different texts of digits are expected")
    return numbers


def routes(gepg: Gepg, now: Callable[[], datetime] = clock.now) -> list[web.RouteDef]:
    async def pay(request: web.Request) -> web.Response:
        body = await object_from(request)
        if "control_numbers" in body:  # each bill in full: what is left of it
            numbers, channel = _numbers(body["control_numbers"]), text_in(body, "channel", "")
            at = moment_in(body, now())
            return web.json_response(await gepg.pay_together(numbers, _msisdn(body), channel, at))
        return web.json_response(await gepg.pay(order_from(body, now())))

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
