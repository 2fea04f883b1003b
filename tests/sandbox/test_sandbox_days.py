"""GePG asked for a day, in both generations: judged, acknowledged, and answered with the payments of its book."""

import asyncio
import re
from datetime import datetime, timedelta

import aiohttp
import pytest
from fake_gateway import EAT, HEADERS, field, until
from fake_v4 import HEADERS_V4, inner

PATHS = {"v5": "/gepg/api/reconciliation/20/request", "v4": "/gepg/api/reconciliations/sig_sp_qrequest"}
SENT = {"v5": HEADERS, "v4": HEADERS_V4}
ROOTS = {"v5": "sucSpPmtRes", "v4": "gepgSpReconcResp"}
LINES = {"v5": "PmtTrxDtl", "v4": "ReconcTrxInf"}
ORDER = {
    "v5": "sucSpPmtRes BatchHdr ResId ReqId SpGrpCode SysCode PayStsCode PayStsDesc PmtDtls PmtTrxDtl CustCntrNum "
    "GrpBillId SpCode BillId BillCtrNum PspCode PspName TrxId PayRefId BillAmt PaidAmt BillPayOpt Ccy CollAccNum "
    "TrxDtTm UsdPayChnl TrdPtyTrxId QtRefId PyrCellNum PyrEmail PyrName Remarks Rsv1 Rsv2 Rsv3",
    "v4": "gepgSpReconcResp ReconcBatchInfo SpReconcReqId SpCode SpName ReconcStsCode ReconcTrans ReconcTrxInf "
    "SpBillId BillCtrNum pspTrxId PaidAmt CCy PayRefId TrxDtTm CtrAccNum UsdPayChnl PspName PspCode DptCellNum "
    "DptName DptEmailAddr Remarks ReconcRsv1 ReconcRsv2 ReconcRsv3",
}
BOTH = pytest.mark.parametrize("version", ["v5", "v4"])


NOW = datetime.now(EAT)  # the sandbox's clock stands still, so no test spans a midnight


@pytest.fixture
async def bench(start):
    return await start(now=lambda: NOW)


def day_ago(days=1):
    return (NOW - timedelta(days=days)).date().isoformat()


def day_request(version, day=None, drop=(), **changes):
    """A request as public senders write it, with some fields changed or left out."""
    day = day_ago() if day is None else day
    if version == "v4":
        root = "gepgSpReconcReq"
        fields = {"SpReconcReqId": "1825734690", "SpCode": "SP19960", "SpSysId": "TIMIS001", "TnxDt": day}
        fields["ReconcOpt"] = "1"
    else:
        root = "sucSpPmtReq"
        fields = {"ReqId": "1825734690", "SpGrpCode": "SP19960", "SysCode": "TIMIS001", "TrxDt": day}
        fields |= {"Rsv1": "", "Rsv2": "", "Rsv3": ""}
    return f"<{root}>{inner(fields, changes, drop)}</{root}>"


async def post(bench, version, raw, **headers):
    sent = {name: value for name, value in {**SENT[version], **headers}.items() if value is not None}
    async with bench.http.post(PATHS[version], data=raw, headers=sent) as response:
        return response.status, await response.read()


async def ask_raw(bench, version, raw, **headers):
    """The code of the signed acknowledgement."""
    status, body = await post(bench, version, raw, **headers)
    assert status == 200
    assert bench.gateway.check(body)
    assert body.startswith(b"<Gepg><gepgSpReconcReqAck>" if version == "v4" else b"<Gepg><sucSpPmtReqAck>")
    return field(body, "ReconcStsCode" if version == "v4" else "AckStsCode")


async def ask(bench, version, *arguments, **changes):
    return await ask_raw(bench, version, bench.gateway.sign(day_request(version, *arguments, **changes), version))


async def account(bench, version, *arguments, **changes):
    """Ask, wait, and give the account as text."""
    seen = len(bench.gateway.days)
    assert await ask(bench, version, *arguments, **changes) == "7101"
    await until(lambda: len(bench.gateway.days) > seen)
    raw = bench.gateway.days[-1]
    assert bench.gateway.check(raw)
    return raw.decode()


def lines_of(version, text):
    tag = LINES[version]
    return [dict(re.findall(r"<(\w+)>([^<]*)</", each)) for each in re.findall(f"<{tag}>(.*?)</{tag}>", text)]


# -------------------------------------------------------------------------------------------------------- the request


@BOTH
@pytest.mark.parametrize(
    ("v5", "v4", "code"),
    [
        ({"TrxDt": "2025-02-30"}, {"TnxDt": "2025-02-30"}, "7318"),
        ({"TrxDt": "10/11/2025"}, {"TnxDt": "20251110"}, "7318"),
        ({"TrxDt": "2025-11-10T00:00:00"}, {"TnxDt": ""}, "7318"),
        ({"TrxDt": day_ago(0)}, {"TnxDt": day_ago(0)}, "7319"),
        ({"TrxDt": day_ago(-1)}, {"TnxDt": day_ago(-1)}, "7319"),
        ({"SpGrpCode": "19960"}, {"SpCode": "SP1"}, "7205"),
        ({"SpGrpCode": "SP19961"}, {"SpCode": "SP19961"}, "7323"),
        ({"SysCode": ""}, {"SpSysId": "x" * 11}, "7269"),
        ({"ReqId": ""}, {"SpReconcReqId": "RQ-1"}, "7242"),
        ({"ReqId": "x" * 101}, {"SpReconcReqId": str(2**31)}, "7242"),
        ({"Rsv1": "<a/>"}, {"ReconcOpt": "3"}, None),
        ({"drop": ("Rsv3",)}, {"drop": ("SpSysId",)}, "7242"),
        ({"SpGrpCode": "?", "TrxDt": "?"}, {"SpCode": "?", "TnxDt": "?"}, "7205;7318"),
    ],
)  # fmt: skip
async def test_what_is_wrong_with_a_request(bench, version, v5, v4, code):
    expected = code or {"v5": "7242", "v4": "7320"}[version]
    assert await ask(bench, version, **(v5 if version == "v5" else v4)) == expected
    assert await bench.get("/sandbox/reconciliations") == []


@BOTH
async def test_headers_signatures_and_shapes(bench, version):
    other = {"v5": "v4", "v4": "v5"}[version]
    element = day_request(version)
    good = bench.gateway.sign(element, version)
    assert await ask_raw(bench, version, good, **{"Gepg-Code": None}) == "7202"
    assert await ask_raw(bench, version, good, **{"Gepg-Com": None}) == "7202"
    assert await ask_raw(bench, version, good, **{"Gepg-Com": "reusebill.sp.in"}) == "7322"
    assert await ask_raw(bench, version, good, **{"Gepg-Code": "SP023"}) == "7323"
    if version == "v5":
        assert await ask_raw(bench, version, good, **{"Gepg-Alg": None}) == "7202"
        assert await ask_raw(bench, version, good, **{"Gepg-Alg": "00S1"}) == "7322"
    assert await ask_raw(bench, version, good.replace(b"1825734690", b"1825734691")) == "7303"
    assert await ask_raw(bench, version, f"<Gepg>{element}</Gepg>".encode()) == "7303"
    assert await ask_raw(bench, version, bench.gateway.sign(element, other)) == "7303"
    assert await ask_raw(bench, version, bench.gateway.sign(element, version)[:-3]) == "7242"
    assert await ask_raw(bench, version, bench.gateway.sign("<other>1</other>", version)) == "7242"
    assert await bench.get("/sandbox/reconciliations") == []


async def test_the_acknowledgement_names_the_request(bench):
    _, body = await post(bench, "v5", bench.gateway.sign(day_request("v5", ReqId="RQ-7")))
    assert [tag for tag in re.findall(r"<(\w+)>", body.decode()) if tag not in ("Gepg", "signature")] == [
        "sucSpPmtReqAck", "AckId", "ReqId", "AckStsCode", "AckStsDesc",
    ]  # fmt: skip
    assert field(body, "ReqId") == "RQ-7"


# --------------------------------------------------------------------------------------------------------- the account


@BOTH
async def test_the_days_payments_in_the_language_of_the_request(bench, version):
    """Bills of either generation, of that day and that service provider alone."""
    yesterday = day_ago()
    first = await bench.pay(await bench.numbered("b-1"), day=yesterday, receipt="R1", channel="USSD")
    second = await bench.pay(await bench.numbered_v4("b-2"), "30000.00", at=f"{yesterday}T23:59:59", receipt="R2")
    await bench.pay(await bench.numbered("b-3"))
    await bench.pay(await bench.numbered("b-4"), at=f"{day_ago(2)}T23:59:59")
    await bench.pay("199660000001", "1.00", force=True, day=yesterday)  # another service provider's

    text = await account(bench, version)
    assert text.startswith(f"<Gepg><{ROOTS[version]}>")
    lines = lines_of(version, text)
    assert [line["PayRefId"] for line in lines] == [first["pay_ref_id"], second["pay_ref_id"]]
    assert [line["TrxDtTm"] for line in lines][1] == (
        f"{yesterday}T23:59:59" if version == "v5" else f"{yesterday} 23:59:59.0"
    )
    payments = {each["pay_ref_id"]: each for each in await bench.get("/sandbox/payments")}
    for line in lines:
        told = payments[line["PayRefId"]]
        assert told["at"].startswith(yesterday)
        if version == "v5":
            assert line["CustCntrNum"] == line["BillCtrNum"] == told["control_number"]
            assert (line["BillId"], line["GrpBillId"]) == (told["bill_id"], told["bill_id"])
            assert (line["PaidAmt"], line["Ccy"], line["TrdPtyTrxId"]) == ("30000.00", "TZS", told["receipt"])
            assert line["TrxId"] == told["trx_id"]
        else:
            assert (line["BillCtrNum"], line["SpBillId"]) == (told["control_number"], told["bill_id"])
            assert (line["PaidAmt"], line["CCy"], line["pspTrxId"]) == ("30000", "TZS", told["receipt"])
            assert line["Remarks"] == "Successful"


@BOTH
async def test_the_order_of_elements(bench, version):
    await bench.pay(await bench.numbered(), day=day_ago())
    text = await account(bench, version)
    tags = [tag for tag in re.findall(r"<(\w+)>", text) if tag not in ("Gepg", "signature", "gepgSignature")]
    assert tags == ORDER[version].split()
    assert field(text, "ReqId" if version == "v5" else "SpReconcReqId") == "1825734690"


@BOTH
async def test_a_day_without_payments(bench, version):
    text = await account(bench, version, day_ago(9))
    assert lines_of(version, text) == []
    (asked,) = await bench.get("/sandbox/reconciliations")
    assert (asked["day"], asked["version"], asked["lines"]) == (day_ago(9), version, 0)


async def test_v4s_exception_report_is_empty(bench):
    await bench.pay(await bench.numbered(), day=day_ago())
    assert lines_of("v4", await account(bench, "v4", ReconcOpt="2")) == []


@BOTH
@pytest.mark.parametrize(
    ("trouble", "word"), [(503, "none"), ("7303", "7303"), ("bad-signature", "bad-signature"), (400, "none")]
)
async def test_an_account_is_brought_again_until_well_acknowledged(bench, version, trouble, word):
    bench.gateway.plan.append(trouble)
    await account(bench, version)

    async def done():
        return (await bench.get("/sandbox/reconciliations"))[0]["delivery"] == "acknowledged"

    await until(done)
    (asked,) = await bench.get("/sandbox/reconciliations")
    assert asked["attempts"] == [word, "7101"]
    assert (asked["request_id"], asked["sp_code"]) == ("1825734690", "SP19960")
    assert len(bench.gateway.days) == 2
    assert len(set(bench.gateway.days)) == 1


@BOTH
async def test_two_requests_for_a_day_are_answered_with_the_same_facts(bench, version):
    await bench.pay(await bench.numbered(), day=day_ago())
    first, second = await account(bench, version), await account(bench, version)
    assert lines_of(version, first) == lines_of(version, second)


# --------------------------------------------------------------------------------------------------------- the troubles


@BOTH
async def test_troubles_on_the_way_in(bench, version):
    raw = bench.gateway.sign(day_request(version), version)
    await bench.fault("reconciliation_request", "drop")
    with pytest.raises(aiohttp.ClientConnectionError):
        await post(bench, version, raw)
    await bench.fault("reconciliation_request", "alter")
    assert await ask_raw(bench, version, raw) == "7303"
    await bench.fault("reconciliation_request", "busy")
    assert await ask_raw(bench, version, raw) == "7321"
    assert await bench.get("/sandbox/reconciliations") == []
    await bench.fault("reconciliation_request", "error_after")
    assert (await post(bench, version, raw))[0] == 500
    await bench.fault("reconciliation_request", "double")
    assert await ask_raw(bench, version, raw) == "7101"
    assert len(await bench.get("/sandbox/reconciliations")) == 3


@BOTH
async def test_troubles_on_the_way_out(bench, version):
    await bench.pay(await bench.numbered(), day=day_ago())
    for kind in ("drop", "alter", "error_after"):
        await bench.fault("reconciliation", kind)
        await ask(bench, version)

        async def told():
            return (await bench.get("/sandbox/reconciliations"))[-1]["delivery"] == "acknowledged"

        await until(told)
        assert (await bench.get("/sandbox/reconciliations"))[-1]["attempts"] == [
            {"drop": "dropped", "alter": "7303", "error_after": "lost"}[kind], "7101",
        ]  # fmt: skip
    assert [bench.gateway.check(raw) for raw in bench.gateway.days] == [True, False, True, True, True]
    await bench.fault("reconciliation", "drop", forever=True)
    await ask(bench, version)

    async def given_up():
        return (await bench.get("/sandbox/reconciliations"))[-1]["delivery"] == "given_up"

    await until(given_up)
    await bench.fault("reconciliation", "double")
    await account(bench, version)
    await until(lambda: len(bench.gateway.days) == 7)
    await bench.fault("reconciliation", "reorder")
    seen = len(bench.gateway.days)
    assert await ask(bench, version) == "7101"
    await bench.fault_taken()
    await asyncio.gather(ask(bench, version))
    await until(lambda: len(bench.gateway.days) == seen + 2)


@BOTH
async def test_a_days_account_that_disagrees(bench, version):
    references = [(await bench.pay(await bench.numbered(f"b-{n}"), day=day_ago()))["pay_ref_id"] for n in range(3)]
    amount = "30000.00" if version == "v5" else "30000"

    async def told():
        return [(line["PayRefId"], line["PaidAmt"]) for line in lines_of(version, await account(bench, version))]

    right = [(reference, amount) for reference in references]
    assert await told() == right
    await bench.fault("reconciliation", "missing_line")
    assert await told() == right[:2]
    await bench.fault("reconciliation", "double_line")
    assert await told() == [*right, right[0]]
    await bench.fault("reconciliation", "other_amount")
    assert await told() == [(references[0], amount.replace("30000", "30001")), *right[1:]]
    await bench.fault("reconciliation", "extra_line")
    *known, (extra, _) = await told()
    assert known == right
    assert extra not in references
    assert await told() == right, "once only"

    for kind in ("missing_line", "double_line", "other_amount", "extra_line"):
        await bench.fault("reconciliation", kind)
    assert [reference for reference, _ in await told()][:3] == [references[0], references[1], references[0]]
    assert len(await bench.get("/sandbox/payments")) == 3, "what was made up is in no book"


async def test_what_needs_a_line_waits_for_an_account_that_has_one(bench):
    await bench.fault("reconciliation", "missing_line")
    await account(bench, "v5")
    assert len(await bench.get("/sandbox/faults")) == 1
    await bench.pay(await bench.numbered(), day=day_ago())
    assert lines_of("v5", await account(bench, "v5")) == []
    assert await bench.get("/sandbox/faults") == []


# ------------------------------------------------------------------------------------------------- by hand, and the day


@BOTH
async def test_the_days_file(bench, version):
    reference = (await bench.pay(await bench.numbered(), day=day_ago()))["pay_ref_id"]
    path = f"/sandbox/reconciliation-file?day={day_ago()}&version={version}&sp_code=SP19960"
    async with bench.http.get(path) as response:
        raw = await response.read()
        assert response.status == 200
        assert f"SP19960-{day_ago()}-{version}.xml" in response.headers["Content-Disposition"]
    assert bench.gateway.check(raw)
    assert [line["PayRefId"] for line in lines_of(version, raw.decode())] == [reference]
    assert bench.gateway.days == []


@pytest.mark.parametrize(
    "query", ["", "day=yesterday", "day=2025-02-30", "day=2025-02-01&version=v6", "day=2025-02-01&sp_code=x"]
)
async def test_a_wrong_order_for_a_file(bench, query):
    async with bench.http.get(f"/sandbox/reconciliation-file?{query}") as response:
        assert response.status == 400
        assert "error" in await response.json()


async def test_a_payment_may_be_made_on_a_day_that_has_passed(bench):
    number = await bench.numbered()
    result = await bench.pay(number, at="2026-01-31T23:59:59")
    assert field(bench.gateway.payments[0], "TrxDtTm") == "2026-01-31T23:59:59"
    assert result["pay_ref_id"].startswith("926031")
    numbers = [await bench.numbered(f"b-{n}") for n in (2, 3)]
    await bench.post("/sandbox/pay", control_numbers=numbers, msisdn="+255754000009", day=day_ago(3))
    assert {each["at"][:10] for each in await bench.get("/sandbox/payments")} == {"2026-01-31", day_ago(3)}


@pytest.mark.parametrize(
    "when",
    [{"day": day_ago(-1)}, {"day": "x"}, {"at": "2026-01-31"}, {"at": "2026-01-31T23:59:59+03:00"}, {"day": 7},
     {"day": "2026-01-31", "at": "2026-01-31T23:59:59"}, {"at": "2999-01-01T00:00:00"}],
)  # fmt: skip
async def test_a_wrong_day_is_a_400(bench, when):
    number = await bench.numbered()
    await bench.post("/sandbox/pay", status=400, control_number=number, amount="1.00", msisdn="+255754000009", **when)
