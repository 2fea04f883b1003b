"""GePG's account of a day, written by hand in both generations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gepg_samples import REPORT, entry, entry_v4, payment, payment_v4, wrap

from adapters.payments.gepg import GepgProvider
from gateway.domain.payments import PaymentReport
from gateway.ports import LineFault, StatementReading, StatementRow


def line(**changes: str | None) -> str:
    """A PmtTrxDtl of sucSpPmtRes: the notification's, with the numbers of its header."""
    own: dict[str, str | None] = {"CustCntrNum": "199600000148", "GrpBillId": "B-7f3a"}
    own.update({name: changes.pop(name) for name in own if name in changes})
    head = "".join(f"<{name}>{value}</{name}>" for name, value in own.items() if value is not None)
    return entry(**changes).replace("<PmtTrxDtl>", f"<PmtTrxDtl>{head}")


def line_v4(**changes: str | None) -> str:
    """A ReconcTrxInf, as real test data has it: the time with a space and a fraction, the amount without decimals."""
    values: dict[str, str | None] = {
        "SpBillId": "B-7f3a",
        "BillCtrNum": "199600000148",
        "pspTrxId": "1704803236988",
        "PaidAmt": "30000",
        "CCy": "TZS",
        "PayRefId": "925314000012345",
        "TrxDtTm": "2025-11-10 12:00:26.0",
        "CtrAccNum": "GEPG0123456",
        "UsdPayChnl": "USSD",
        "PspName": "NMB",
        "PspCode": "PSP006",
        "DptCellNum": "255712345678",
        "DptName": "Asha Juma",
        "DptEmailAddr": "",
        "Remarks": "Successful",
        "ReconcRsv1": "",
        "ReconcRsv2": "",
        "ReconcRsv3": "",
    }
    values.update(changes)
    return "<ReconcTrxInf>" + "".join(f"<{k}>{v}</{k}>" for k, v in values.items() if v is not None) + "</ReconcTrxInf>"


def statement(*lines: str, code: str = "7101", res_id: str = "RES-9", words: str = "Successful") -> str:
    """A sucSpPmtRes."""
    return (
        f"<sucSpPmtRes><BatchHdr><ResId>{res_id}</ResId><ReqId>1825734690</ReqId><SpGrpCode>SP19960</SpGrpCode>"
        f"<SysCode>TIMIS001</SysCode><PayStsCode>{code}</PayStsCode><PayStsDesc>{words}</PayStsDesc></BatchHdr>"
        f"<PmtDtls>{''.join(lines)}</PmtDtls></sucSpPmtRes>"
    )


def statement_v4(*lines: str, code: str = "7101") -> str:
    """A gepgSpReconcResp."""
    return (
        "<gepgSpReconcResp><ReconcBatchInfo><SpReconcReqId>1825734690</SpReconcReqId><SpCode>SP19960</SpCode>"
        f"<SpName>Community Health Fund</SpName><ReconcStsCode>{code}</ReconcStsCode></ReconcBatchInfo>"
        f"<ReconcTrans>{''.join(lines)}</ReconcTrans></gepgSpReconcResp>"
    )


LINE = {"v5": line, "v4": line_v4}
STATEMENT = {"v5": statement, "v4": statement_v4}
TAGS = {"v5": ("PmtDtls", "PmtTrxDtl"), "v4": ("ReconcTrans", "ReconcTrxInf")}
FIRST = {"v5": REPORT, "v4": replace(REPORT, transaction=None)}  # a v4 line carries no transaction id
VALID = {version: STATEMENT[version](LINE[version](), LINE[version](PayRefId="9-2")) for version in ("v5", "v4")}
NOTIFICATION = {"v5": lambda **c: payment(entry(**c)), "v4": lambda **c: payment_v4(entry_v4(**c))}


def kept(folder: Path, body: bytes) -> Path:
    path = folder / "statement.xml"
    path.write_bytes(body)
    return path


def opened(provider: GepgProvider, folder: Path, body: bytes) -> StatementReading:
    return provider.open_statement("reconciliations", kept(folder, body))


def read(provider: GepgProvider, folder: Path, element: str | bytes, key) -> list[StatementRow | LineFault]:
    """All lines of a well-signed statement."""
    path = kept(folder, wrap(element, key))
    reading = provider.open_statement("reconciliations", path)
    lines = provider.lines_of(reading)
    return [row for span in lines.spans(path) for row in lines.rows(path, span)]


def reports(provider: GepgProvider, folder: Path, element: str | bytes, key) -> list[PaymentReport]:
    """Every line in full; a fault among them fails."""
    rows = read(provider, folder, element, key)
    path = folder / "statement.xml"
    lines = provider.lines_of(provider.open_statement("reconciliations", path))
    assert all(isinstance(row, StatementRow) for row in rows), rows
    return [lines.report(path, row) for row in rows if isinstance(row, StatementRow)]
