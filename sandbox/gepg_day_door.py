"""Where service providers ask for a day, in both generations; and the same for people and tests, below /sandbox."""

import logging
import re
import xml.etree.ElementTree as ET
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime

from aiohttp import web

from sandbox.alter import alter_xml
from sandbox.bodies import bad_request
from sandbox.envelope import BadSignature, Unreadable, seal, text_of, unseal
from sandbox.faults import Faults
from sandbox.fields import SP_CODE, Field, FieldFaults, Verdict, check_fields, match, text
from sandbox.generation import BY_NAME, V4, V5, Generation
from sandbox.gepg_day_messages import DayRequest, request_ack
from sandbox.gepg_days import Days
from sandbox.gepg_messages import new_id
from sandbox.keys import KeyRing

log = logging.getLogger("sandbox")

_MAX_ID = 2**31 - 1  # v4's SpReconcReqId is an int
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def day_from(value: str) -> date | None:
    """`yyyy-MM-dd` and no other form of a day that exists."""
    try:
        return date.fromisoformat(value) if _DAY.fullmatch(value) else None
    except ValueError:
        return None


def _is_day(value: str) -> bool:
    return day_from(value) is not None


def _is_number(value: str) -> bool:
    return re.fullmatch(r"\d{1,10}", value, re.ASCII) is not None and 0 < int(value) <= _MAX_ID


@dataclass(frozen=True, slots=True)
class _Language:
    """How one generation asks. The first four fields are the request's id, the provider's code, its system, the day."""

    generation: Generation
    path: str
    root: str
    headers: tuple[tuple[str, str], ...]  # each with the only value that is taken; '' for any
    fields: tuple[Field, ...]

    def request(self, message: ET.Element) -> DayRequest:
        """Of fields that were found good."""
        req_id, sp_code, system, day = (text_of(message, each.tag) for each in self.fields[:4])
        found = day_from(day)
        assert found is not None, "checked before"
        return DayRequest(
            self.generation.name, req_id, sp_code, system, found, failed=text_of(message, "ReconcOpt") == "2"
        )


_COMMON = (("Gepg-Code", ""), ("Gepg-Com", "default.sp.in"))
_LANGUAGES = (
    _Language(
        V5,
        "/gepg/api/reconciliation/20/request",
        "sucSpPmtReq",
        (*_COMMON, ("Gepg-Alg", "00S2")),
        (
            Field("ReqId", "7242", text(100)),
            Field("SpGrpCode", "7205", SP_CODE),
            Field("SysCode", "7269", text(10)),
            Field("TrxDt", "7318", _is_day),
            *(Field(f"Rsv{place}", "7242", text(100, shortest=0)) for place in (1, 2, 3)),
        ),
    ),
    _Language(
        V4,
        "/gepg/api/reconciliations/sig_sp_qrequest",
        "gepgSpReconcReq",
        _COMMON,
        (
            Field("SpReconcReqId", "7242", _is_number),
            Field("SpCode", "7205", SP_CODE),
            Field("SpSysId", "7269", text(10)),
            Field("TnxDt", "7318", _is_day),
            Field("ReconcOpt", "7320", match("[12]")),
        ),
    ),
)


class DayDoor:
    """Reads, judges and acknowledges; what is asked is done by `Days`."""

    def __init__(self, days: Days, keys: KeyRing, faults: Faults, clock: Callable[[], datetime]) -> None:
        self._days, self._keys, self._faults, self._clock = days, keys, faults, clock

    def routes(self) -> list[web.RouteDef]:
        return [
            *(web.post(language.path, self._asked(language)) for language in _LANGUAGES),
            web.get("/sandbox/reconciliations", self._listing),
            web.get("/sandbox/reconciliation-file", self._file),
        ]

    def _asked(self, language: _Language) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handler(request: web.Request) -> web.StreamResponse:
            async def handle(raw: bytes) -> web.StreamResponse:
                return self._answer(language, request, raw)

            body = await request.read()
            return await self._faults.inbound("reconciliation_request", request, body, handle, alter_xml)

        return handler

    def _answer(self, language: _Language, request: web.Request, raw: bytes) -> web.Response:
        req_id, verdict = self._judge(language, request, raw)
        log.info("day %s: %s %s", req_id, verdict.codes, verdict.detail)
        ack_id = new_id("ACK", self._clock())
        node = request_ack(language.generation.name, ack_id, req_id, verdict.codes, verdict.detail)
        return web.Response(body=seal(node, self._keys, language.generation), content_type="application/xml")

    def _judge(self, language: _Language, request: web.Request, raw: bytes) -> tuple[str, Verdict]:
        missing = [name for name, _ in language.headers if not request.headers.get(name)]
        if missing:
            return "", Verdict("7202", ", ".join(missing))
        try:
            message = unseal(raw, self._keys, language.root, language.generation)
        except BadSignature as error:
            return "", Verdict("7303", str(error))
        except Unreadable as error:
            return "", Verdict("7242", str(error))
        req_id = text_of(message, language.fields[0].tag)
        for name, only in language.headers:
            if only and request.headers[name] != only:
                return req_id, Verdict("7322", f"{name} is not {only}")
        faults = FieldFaults()
        check_fields(message, language.fields, faults)
        if faults.found:
            return req_id, faults.verdict()
        asked = language.request(message)
        if request.headers["Gepg-Code"] != asked.sp_code:
            return req_id, Verdict("7323", "the header Gepg-Code is not the message's code")
        return req_id, self._days.take(asked)

    async def _listing(self, request: web.Request) -> web.Response:
        return web.json_response([each.to_json() for each in self._days.asked])

    async def _file(self, request: web.Request) -> web.Response:
        """The day's signed account, for whoever reconciles from a file."""
        version, sp_code = request.query.get("version", V5.name), request.query.get("sp_code", "SP19960")
        day = day_from(request.query.get("day", ""))
        if day is None:
            raise bad_request("day: like 2026-01-31")
        if version not in BY_NAME:
            raise bad_request(f"version: {' or '.join(BY_NAME)}")
        if not SP_CODE(sp_code):
            raise bad_request("sp_code: like SP19960")
        name = f"{sp_code}-{day}-{version}.xml"
        return web.Response(
            body=self._days.file(version, sp_code, day),
            content_type="application/xml",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
