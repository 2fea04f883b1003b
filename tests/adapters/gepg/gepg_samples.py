"""GePG played by hand: messages as text, and a signer that shares no line with the adapter."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import datetime, timedelta, timezone

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm

from gateway.domain.money import Money
from gateway.domain.payments import PaymentReport
from gateway.ports import ControlNumberGiven

EAT = timezone(timedelta(hours=3))
_SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")  # DER of DigestInfo up to the digest (RFC 8017)

_SHA1_INFO = bytes.fromhex("3021300906052b0e03021a05000414")


def signature(element: bytes, key: RSAPrivateKey, algorithm: HashAlgorithm | None = None) -> bytes:
    return base64.b64encode(key.sign(element, padding.PKCS1v15(), algorithm or SHA256()))


def sha1_signature(element: bytes, key: RSAPrivateKey) -> bytes:
    return signature(element, key, SHA1())


def is_v4(element: bytes) -> bool:
    return element.lstrip().startswith(b"<gepg")


def rightly_signed(raw: bytes, key: RSAPrivateKey) -> bytes:
    """Under the rules of the message's own generation: v4 is SHA-1, v5 is SHA-256."""
    return signature(raw, key, SHA1() if is_v4(raw) else SHA256())


def wrongly_hashed(raw: bytes, key: RSAPrivateKey) -> bytes:
    """Under the other generation's hash."""
    return signature(raw, key, SHA256() if is_v4(raw) else SHA1())


def signature_tag(raw: bytes) -> bytes:
    return b"gepgSignature" if is_v4(raw) else b"signature"


def enveloped(element: str | bytes, signed: bytes) -> bytes:
    raw = element.encode() if isinstance(element, str) else element
    tag = signature_tag(raw)
    return b"<Gepg>" + raw + b"<" + tag + b">" + signed + b"</" + tag + b"></Gepg>"


def wrap(element: str | bytes, key: RSAPrivateKey) -> bytes:
    raw = element.encode() if isinstance(element, str) else element
    return enveloped(raw, rightly_signed(raw, key))


def opened(body: bytes) -> tuple[bytes, bytes]:
    """Element and signature of an envelope of ours, by the strictest reading: no white space, no declaration."""
    match = re.fullmatch(
        rb"<Gepg>(<([A-Za-z]+)>.*</\2>)<(signature|gepgSignature)>([A-Za-z0-9+/=]+)</\3></Gepg>", body, re.S
    )
    assert match is not None, body
    assert match[3] == signature_tag(match[1]), body
    return match[1], match[4]


def holds(element: bytes, signed: bytes, key: RSAPublicKey) -> bool:
    """PKCS#1 v1.5 by arithmetic alone, with the hash of the element's generation: no library has a say."""
    numbers = key.public_numbers()
    size = (numbers.n.bit_length() + 7) // 8
    block = pow(int.from_bytes(base64.b64decode(signed), "big"), numbers.e, numbers.n).to_bytes(size, "big")
    if is_v4(element):
        info = _SHA1_INFO + hashlib.sha1(element, usedforsecurity=False).digest()
    else:
        info = _SHA256_INFO + hashlib.sha256(element).digest()
    return block == b"\x00\x01" + b"\xff" * (size - len(info) - 3) + b"\x00" + info


def entry(**changes: str | None) -> str:
    """One PmtTrxDtl; None leaves an element out. Values are XML already."""
    values: dict[str, str | None] = {
        "SpCode": "SP19960",
        "BillId": "B-7f3a",
        "BillCtrNum": "199600000148",
        "PspCode": "PSP006",
        "PspName": "NMB",
        "TrxId": "TRX991",
        "PayRefId": "925314000012345",
        "BillAmt": "30000.00",
        "PaidAmt": "30000.00",
        "BillPayOpt": "3",
        "Ccy": "TZS",
        "CollAccNum": "GEPG0123456",
        "TrxDtTm": "2025-11-10T12:00:26",
        "UsdPayChnl": "USSD",
        "TrdPtyTrxId": "1704803236988",
        "QtRefId": "",
        "PyrCellNum": "255712345678",
        "PyrEmail": "",
        "PyrName": "Asha Juma",
        "Rsv1": "",
        "Rsv2": "",
        "Rsv3": "",
    }
    values.update(changes)
    return "<PmtTrxDtl>" + "".join(f"<{k}>{v}</{k}>" for k, v in values.items() if v is not None) + "</PmtTrxDtl>"


def payment(*entries: str, count: str | None = None, customer: str = "199600000148", req_id: str = "PN-1") -> str:
    """A pmtSpNtfReq."""
    lines = entries or (entry(),)
    return (
        f"<pmtSpNtfReq><PmtHdr><ReqId>{req_id}</ReqId><GrpBillId>B-7f3a</GrpBillId><SpGrpCode>SP19960</SpGrpCode>"
        f"<CustCntrNum>{customer}</CustCntrNum><EntryCnt>{count if count is not None else len(lines)}</EntryCnt>"
        f"</PmtHdr><PmtDtls>{''.join(lines)}</PmtDtls></pmtSpNtfReq>"
    )


def detail(bill_id: str = "B-7f3a", number: str = "199600000148", code: str = "7101", words: str = "Successful") -> str:
    """A BillDtl of a billSubRes."""
    return (
        f"<BillDtl><BillId>{bill_id}</BillId><BillCntrNum>{number}</BillCntrNum>"
        f"<BillStsCode>{code}</BillStsCode><BillStsDesc>{words}</BillStsDesc></BillDtl>"
    )


def result(*details: str, customer: str = "199600000148", sts: str = "GS", code: str = "7101", words: str = "") -> str:
    """A billSubRes."""
    return (
        f"<billSubRes><BillHdr><ResId>RES-1</ResId><ReqId>REQ-1</ReqId><GrpBillId>B-7f3a</GrpBillId>"
        f"<CustCntrNum>{customer}</CustCntrNum><ResSts>{sts}</ResSts><ResStsCode>{code}</ResStsCode>"
        f"<ResStsDesc>{words}</ResStsDesc></BillHdr><BillDtls>{''.join(details)}</BillDtls></billSubRes>"
    )


REPORT = PaymentReport(
    reference="925314000012345",
    control_number="199600000148",
    amount=Money(3_000_000, "TZS"),
    paid_at=datetime(2025, 11, 10, 12, 0, 26, tzinfo=EAT),
    bill_id="B-7f3a",
    receipt="1704803236988",
    transaction="TRX991",
    payer_msisdn="+255712345678",
    payer_name="Asha Juma",
    channel="USSD",
    origin="NMB",
    provider_code="SP19960",
)
GIVEN = ControlNumberGiven("B-7f3a", "199600000148")


def entry_v4(**changes: str | None) -> str:
    """One PymtTrxInf; None leaves an element out."""
    values: dict[str, str | None] = {
        "TrxId": "TRX991",
        "SpCode": "SP19960",
        "PayRefId": "925314000012345",
        "BillId": "B-7f3a",
        "PayCtrNum": "199600000148",
        "BillAmt": "30000.00",
        "PaidAmt": "30000.00",
        "BillPayOpt": "3",
        "CCy": "TZS",
        "TrxDtTm": "2025-11-10T12:00:26",
        "UsdPayChnl": "USSD",
        "PyrCellNum": "255712345678",
        "PyrName": "Asha Juma",
        "PyrEmail": "",
        "PspReceiptNumber": "1704803236988",
        "PspName": "NMB",
        "CtrAccNum": "GEPG0123456",
    }
    values.update(changes)
    return "<PymtTrxInf>" + "".join(f"<{k}>{v}</{k}>" for k, v in values.items() if v is not None) + "</PymtTrxInf>"


def payment_v4(*entries: str) -> str:
    """A gepgPmtSpInfo."""
    return f"<gepgPmtSpInfo>{''.join(entries or (entry_v4(),))}</gepgPmtSpInfo>"


def detail_v4(
    bill_id: str = "B-7f3a", number: str = "199600000148", sts: str = "GS", code: str = "7101", swapped: bool = False
) -> str:
    """A BillTrxInf of a gepgBillSubResp; peers give the two middle elements in either order."""
    middle = [f"<PayCntrNum>{number}</PayCntrNum>", f"<TrxSts>{sts}</TrxSts>"]
    if swapped:
        middle.reverse()
    return f"<BillTrxInf><BillId>{bill_id}</BillId>{''.join(middle)}<TrxStsCode>{code}</TrxStsCode></BillTrxInf>"


def result_v4(*details: str) -> str:
    """A gepgBillSubResp."""
    return f"<gepgBillSubResp>{''.join(details or (detail_v4(),))}</gepgBillSubResp>"


# The first valid case of each message, with what it says: the gate's tests cut, alter and wrap these. The name's first
# word is its route.
VALID = {
    "payments": (payment(), (REPORT,)),
    "bills": (result(detail()), (GIVEN,)),
    "payments v4": (payment_v4(), (REPORT,)),
    "bills v4": (result_v4(), (GIVEN,)),
}


def route_of(case: str) -> str:
    return case.split()[0]
