"""GePG v4's paths: submission of one bill or many, reuse, change and cancellation."""

import logging
import xml.etree.ElementTree as ET
from collections.abc import Callable

from aiohttp import web

from sandbox import gepg_v4_messages as messages
from sandbox.envelope import BadSignature, Node, Unreadable, unseal
from sandbox.fields import Change, Submission, Verdict
from sandbox.generation import V4
from sandbox.gepg_bills import Told
from sandbox.gepg_door import Door
from sandbox.gepg_v4_fields import read_cancellation, read_change, read_submission

log = logging.getLogger("sandbox")

_HEADERS = ("Gepg-Code", "Gepg-Com")
_CHANGING = "changebill.sp.in"
_Read = Callable[[ET.Element, str], tuple[Submission, ...] | Change | Verdict]


class GepgV4(Door):
    """Reads, judges and answers; what is asked is done by `Bills`."""

    generation = V4

    def routes(self) -> list[web.RouteDef]:
        base = "/gepg/api/bill"
        return [
            web.post(f"{base}/sigqrequest", self._submission),
            web.post(f"{base}/sigqrequest_reuse", self._reuse),
            web.post(f"{base}/sigqrequest_change", self._change),
            web.post(f"{base}/sigcancel_request", self._cancellation),
        ]

    async def _submission(self, request: web.Request) -> web.StreamResponse:
        def read(message: ET.Element, code: str) -> tuple[Submission, ...] | Verdict:
            return read_submission(message, code, self._clock(), reuse=False)

        return await self.submitted(request, lambda raw: self._take(request, raw, "default.sp.in", read))

    async def _reuse(self, request: web.Request) -> web.StreamResponse:
        def read(message: ET.Element, code: str) -> tuple[Submission, ...] | Verdict:
            return read_submission(message, code, self._clock(), reuse=True)

        return await self.submitted(request, lambda raw: self._take(request, raw, "reusebill.sp.in", read))

    async def _change(self, request: web.Request) -> web.StreamResponse:
        def read(message: ET.Element, code: str) -> Change | Verdict:
            return read_change(message, code, self._clock())

        return await self.submitted(request, lambda raw: self._take(request, raw, _CHANGING, read))

    def _take(self, request: web.Request, raw: bytes, protocol: str, read: _Read) -> tuple[Node, Told]:
        told: Told = []
        asked = self._open(request, raw, "gepgBillSubReq", (protocol,))
        judged = asked if isinstance(asked, Verdict) else read(asked, request.headers["Gepg-Code"])
        if isinstance(judged, Verdict):
            verdict = judged
        elif isinstance(judged, Change):
            verdict = self._bills.change(judged)
        else:
            verdict, told = self._bills.take(judged)
        log.info("%s: %s %s", request.path, verdict.codes, verdict.detail)
        return messages.submission_ack(verdict.codes), told

    def _open(self, request: web.Request, raw: bytes, tag: str, protocols: tuple[str, ...]) -> ET.Element | Verdict:
        """The verified message, once its headers are as they should be."""
        missing = [name for name in _HEADERS if not request.headers.get(name)]
        if missing:
            return Verdict("7202", ", ".join(missing))
        try:
            message = unseal(raw, self._keys, tag, V4)
        except BadSignature as error:
            return Verdict("7303", str(error))
        except Unreadable as error:
            return Verdict("7242", str(error))
        if request.headers["Gepg-Com"] not in protocols:
            return Verdict("7322", f"Gepg-Com is not {' or '.join(protocols)}")
        return message

    async def _cancellation(self, request: web.Request) -> web.StreamResponse:
        return await self.cancelled(request, lambda raw: self._end(request, raw))

    def _end(self, request: web.Request, raw: bytes) -> Node:
        """What is wrong with the whole request is said of a bill without a name: public sources show no other place.

        Some providers cancel under `default.sp.in`.
        """
        message = self._open(request, raw, "gepgBillCanclReq", (_CHANGING, "default.sp.in"))
        asked = message if isinstance(message, Verdict) else read_cancellation(message)
        if isinstance(asked, Verdict):
            log.info("%s: %s %s", request.path, asked.codes, asked.detail)
            return messages.cancellation_answer([("", asked.codes)])
        if request.headers["Gepg-Code"] != asked.sp_code:
            return messages.cancellation_answer((bill_id, "7323") for bill_id in asked.bill_ids)
        return messages.cancellation_answer(
            (bill_id, self._bills.cancel(bill_id, asked.sp_code)) for bill_id in asked.bill_ids
        )
