"""A provider's signed account of a day, of any length, written as a stream: what reconciliation is measured with.

Everything in a line follows from its number, so a bench can put the same payments into a database without reading the
file: ``reference_of``, ``control_number_of``, ``amount_minor_of``.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from itertools import islice
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

MAX_LINES = 9_999_999  # control numbers have seven digits of their own
_AT_ONCE = 2_000  # lines in memory
_NAMES = ("ASHA JUMA MWINYI", "NG&apos;WANA MAGANGA", "JOHN &amp; SONS LTD", "NEEMA JOSEPH", "Zawadi Ndürü", "")
_CHANNELS = (("PSP006", "NMB BANK PLC", "IB"), ("PSP012", "VODACOM M-PESA", "USSD"), ("PSP047", "CRDB BANK", "CD"))
_AMOUNTS_MINOR = (3_000_000, 3_000_000, 1_050_000, 15_000_050)


def reference_of(number: int) -> str:
    """PayRefId of the n-th line (from 1): fifteen digits."""
    return f"926330{number:09}"


def control_number_of(number: int) -> str:
    """The twelve digits that the n-th line's money was paid to; no two lines share them."""
    return f"19960{number:07}"


def amount_minor_of(number: int) -> int:
    """What the n-th line paid, in senti."""
    return _AMOUNTS_MINOR[number % len(_AMOUNTS_MINOR)]


def bill_id_of(number: int) -> str:
    return f"B{number:031}"


def receipt_of(number: int) -> str:
    """The bank's or wallet's own receipt."""
    return f"17048{number:08}"


def msisdn_of(number: int) -> str:
    """The payer's phone, without the plus."""
    return f"2557{number % 100_000_000:08}"


def write_statement(
    path: Path,
    version: str,
    lines: int | Iterable[int],
    key_file: Path,
    day: date,
    sp_code: str = "SP19960",
    request_id: str = "1",
    amount_minor: Callable[[int], int] = amount_minor_of,
) -> int:
    """Write and sign; returns the file's size in bytes. Memory is bounded whatever the length.

    ``lines``: so many, numbered from 1, or the very numbers, in which some may be left out or said twice.
    ``key_file``: PEM of the key that the gateway believes. ``version``: v4 or v5.
    """
    numbers = iter(range(1, lines + 1) if isinstance(lines, int) else lines)
    key = load_pem_private_key(key_file.read_bytes(), None)
    assert isinstance(key, RSAPrivateKey), "statements are signed with RSA"
    digest = hashlib.sha1(usedforsecurity=False) if version == "v4" else hashlib.sha256()
    algorithm, tag = (SHA1(), "gepgSignature") if version == "v4" else (SHA256(), "signature")
    with path.open("wb") as file:
        file.write(b"<Gepg>")
        for piece in _element(version, numbers, day, sp_code, request_id, amount_minor):
            data = piece.encode()
            digest.update(data)
            file.write(data)
        signature = b64encode(key.sign(digest.digest(), PKCS1v15(), Prehashed(algorithm))).decode()
        file.write(f"<{tag}>{signature}</{tag}></Gepg>".encode())
        return file.tell()


def _element(
    version: str,
    numbers: Iterator[int],
    day: date,
    sp_code: str,
    request_id: str,
    amount_minor: Callable[[int], int],
) -> Iterator[str]:
    """The message element in pieces."""
    line, head, tail = _FORMS[version]
    yield head.format(request_id=request_id, sp_code=sp_code)
    while some := list(islice(numbers, _AT_ONCE)):
        assert max(some) <= MAX_LINES, "control numbers have seven digits of their own"
        yield "".join(line(number, day, sp_code, amount_minor(number)) for number in some)
    yield tail


def _time_of(number: int) -> str:
    second = number % 86_400
    return f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"


def _v5_line(number: int, day: date, sp_code: str, minor: int) -> str:
    control, bill, amount = control_number_of(number), bill_id_of(number), f"{minor // 100}.{minor % 100:02}"
    code, name, channel = _CHANNELS[number % len(_CHANNELS)]
    return (
        f"<PmtTrxDtl><CustCntrNum>{control}</CustCntrNum><GrpBillId>{bill}</GrpBillId><SpCode>{sp_code}</SpCode>"
        f"<BillId>{bill}</BillId><BillCtrNum>{control}</BillCtrNum><PspCode>{code}</PspCode><PspName>{name}</PspName>"
        f"<TrxId>TRX{number:012}</TrxId><PayRefId>{reference_of(number)}</PayRefId><BillAmt>{amount}</BillAmt>"
        f"<PaidAmt>{amount}</PaidAmt><BillPayOpt>3</BillPayOpt><Ccy>TZS</Ccy><CollAccNum>0150211612834</CollAccNum>"
        f"<TrxDtTm>{day}T{_time_of(number)}</TrxDtTm><UsdPayChnl>{channel}</UsdPayChnl>"
        f"<TrdPtyTrxId>{receipt_of(number)}</TrdPtyTrxId><QtRefId></QtRefId><PyrCellNum>{msisdn_of(number)}"
        f"</PyrCellNum><PyrEmail></PyrEmail><PyrName>{_NAMES[number % len(_NAMES)]}</PyrName><Rsv1></Rsv1><Rsv2></Rsv2>"
        "<Rsv3></Rsv3></PmtTrxDtl>"
    )


def _v4_line(number: int, day: date, sp_code: str, minor: int) -> str:
    code, name, channel = _CHANNELS[number % len(_CHANNELS)]
    amount = f"{minor // 100}" if minor % 100 == 0 else f"{minor // 100}.{minor % 100:02}"
    return (
        f"<ReconcTrxInf><SpBillId>{bill_id_of(number)}</SpBillId><BillCtrNum>{control_number_of(number)}</BillCtrNum>"
        f"<pspTrxId>{receipt_of(number)}</pspTrxId><PaidAmt>{amount}</PaidAmt><CCy>TZS</CCy>"
        f"<PayRefId>{reference_of(number)}</PayRefId><TrxDtTm>{day} {_time_of(number)}.0</TrxDtTm>"
        f"<CtrAccNum>0150211612834</CtrAccNum><UsdPayChnl>{channel}</UsdPayChnl><PspName>{name}</PspName>"
        f"<PspCode>{code}</PspCode><DptCellNum>{msisdn_of(number)}</DptCellNum>"
        f"<DptName>{_NAMES[number % len(_NAMES)]}</DptName><DptEmailAddr></DptEmailAddr><Remarks>Successful</Remarks>"
        "<ReconcRsv1></ReconcRsv1><ReconcRsv2></ReconcRsv2><ReconcRsv3></ReconcRsv3></ReconcTrxInf>"
    )


_V5_HEAD = (
    "<sucSpPmtRes><BatchHdr><ResId>RES{request_id}</ResId><ReqId>{request_id}</ReqId><SpGrpCode>{sp_code}</SpGrpCode>"
    "<SysCode>TIMIS001</SysCode><PayStsCode>7101</PayStsCode><PayStsDesc>Successful</PayStsDesc></BatchHdr><PmtDtls>"
)
_V4_HEAD = (
    "<gepgSpReconcResp><ReconcBatchInfo><SpReconcReqId>{request_id}</SpReconcReqId><SpCode>{sp_code}</SpCode>"
    "<SpName>Community Health Fund</SpName><ReconcStsCode>7101</ReconcStsCode></ReconcBatchInfo><ReconcTrans>"
)
_FORMS = {
    "v5": (_v5_line, _V5_HEAD, "</PmtDtls></sucSpPmtRes>"),
    "v4": (_v4_line, _V4_HEAD, "</ReconcTrans></gepgSpReconcResp>"),
}
