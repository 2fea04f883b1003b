"""GePG v5's paths: submission (with reuse), change and cancellation. Messages are numbered: ReqId, ResId, AckId."""

import logging

from aiohttp import web

from sandbox import gepg_messages as messages
from sandbox.envelope import BadSignature, Node, Unreadable, text_of, unseal
from sandbox.fields import Change, Submission, Verdict
from sandbox.generation import V5
from sandbox.gepg_bills import Told
from sandbox.gepg_door import Door
from sandbox.gepg_fields import read_change, read_submission

log = logging.getLogger("sandbox")

_HEADERS = ("Gepg-Code", "Gepg-Com", "Gepg-Alg")
_ALGORITHM = "00S2"


class GepgV5(Door):
    """Reads, judges and answers; what is asked is done by `Bills`."""

    generation = V5

    def routes(self) -> list[web.RouteDef]:
        base = "/gepg/api/bill/20"
        return [
            web.post(f"{base}/submission", self._submission),
            web.post(f"{base}/change-submission", self._change),
            web.post(f"{base}/cancellation", self._cancellation),
        ]

    async def _submission(self, request: web.Request) -> web.StreamResponse:
        return await self.submitted(request, lambda raw: self._take(request, raw, change=False))

    async def _change(self, request: web.Request) -> web.StreamResponse:
        return await self.submitted(request, lambda raw: self._take(request, raw, change=True))

    def _take(self, request: web.Request, raw: bytes, change: bool) -> tuple[Node, Told]:
        told: Told = []
        req_id, verdict = self._read(request, raw, change)
        if isinstance(verdict, Submission):
            verdict, told = self._bills.take([verdict])
        elif isinstance(verdict, Change):
            verdict = self._bills.change(verdict)
        log.info("bill %s: %s %s", req_id, verdict.codes, verdict.detail)
        ack_id = messages.new_id("ACK", self._clock())
        return messages.submission_ack(ack_id, req_id, verdict.codes, verdict.detail), told

    def _read(self, request: web.Request, raw: bytes, change: bool) -> tuple[str, Submission | Change | Verdict]:
        missing = [name for name in _HEADERS if not request.headers.get(name)]
        if missing:
            return "", Verdict("7202", ", ".join(missing))
        try:
            message = unseal(raw, self._keys, "billSubReq")
        except BadSignature as error:
            return "", Verdict("7303", str(error))
        except Unreadable as error:
            return "", Verdict("7242", str(error))
        req_id = message.findtext("BillHdr/ReqId") or ""
        if request.headers["Gepg-Alg"] != _ALGORITHM:
            return req_id, Verdict("7322", f"Gepg-Alg is not {_ALGORITHM}")
        read = read_change if change else read_submission
        asked = read(message, request.headers["Gepg-Code"], self._clock())
        if isinstance(asked, Verdict):
            return req_id, asked
        reused = isinstance(asked, Submission) and asked.reuse
        protocol = "changebill.sp.in" if change else "reusebill.sp.in" if reused else "default.sp.in"
        if request.headers["Gepg-Com"] != protocol:
            return req_id, Verdict("7322", f"Gepg-Com is not {protocol}")
        return req_id, asked

    async def _cancellation(self, request: web.Request) -> web.StreamResponse:
        return await self.cancelled(request, lambda raw: self._end(request, raw))

    def _end(self, request: web.Request, raw: bytes) -> Node:
        req_id = bill_id = ""
        try:
            message = unseal(raw, self._keys, "billCanclReq")
            req_id, bill_id, sp_code = (text_of(message, tag) for tag in ("ReqId", "GrpBillId", "SpGrpCode"))
            header_code = request.headers.get("Gepg-Code")
            if header_code is None:
                code = "7202"
            else:
                code = self._bills.cancel(bill_id, sp_code) if header_code == sp_code else "7323"
        except BadSignature:
            code = "7303"
        except Unreadable:
            code = "7242"
        return messages.cancellation_answer(messages.new_id("RES", self._clock()), req_id, bill_id, code)
