"""The routes of billers: an unguessable address each, notices into the inbox, questions answered in the exchange."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog
from aiohttp import web

from gateway.ports import Asked, Biller, CallbackReceiver, HttpReply, Rejected, StatementReceiver, Unanswered, Verdict
from gateway.service.accept_callback import AcceptCallback
from gateway.service.answer_biller import AnswerBiller
from gateway.service.metrics import BILLER_QUESTIONS, ERRORS
from gateway.web.bodies import read_limited
from gateway.web.networks import Network, inside
from gateway.web.replies import response_of

log = structlog.get_logger()
_MAX_QUESTION = 16_384  # bytes
_CODES = {
    Verdict.BAD_SIGNATURE: "PAY-SIGNATURE",
    Verdict.UNREADABLE: "PAY-UNREADABLE",
    Verdict.TOO_LARGE: "PAY-TOO-LARGE",
}

TakeStatement = Callable[[web.Request, StatementReceiver, str], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class BillerMount:
    """One biller at its secret address. No networks: every address may call."""

    receiver: CallbackReceiver
    biller: Biller
    secret: bytes = field(repr=False)
    networks: Sequence[Network] = ()
    statements: StatementReceiver | None = None


class BillerRoutes:
    """``POST /payments/{kind}/{secret}/{action}``: the secret tells the billers of one kind apart; it is never logged.

    ``accepted`` is called once a notice is committed. ``in_flight``: notices beyond it wait, since money is never
    turned away; questions beyond it are answered "not now". ``take_statement``: streams a day's statement to a file and
    answers it, within its own bounds; without it there is no such address.
    """

    def __init__(
        self,
        kind: str,
        mounts: Sequence[BillerMount],
        accept: AcceptCallback,
        answer: AnswerBiller,
        max_bytes: int,
        accepted: Callable[[], None],
        take_statement: TakeStatement | None = None,
        in_flight: int = 64,
    ) -> None:
        self._kind = kind
        self._mounts = mounts
        self._accept = accept
        self._answer = answer
        self._max_bytes = max_bytes
        self._accepted = accepted
        self._take_statement = take_statement
        self._room = asyncio.Semaphore(in_flight)
        self._questions_left = in_flight

    def add_to(self, app: web.Application) -> None:
        """Register the route."""
        app.router.add_post(f"/payments/{self._kind}/{{secret}}/{{action}}", self.handle)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One notice, question or statement."""
        mount = self._mount(request)
        action = request.match_info["action"]
        headers = {name.lower(): value for name, value in request.headers.items()}
        if action in mount.receiver.routes:
            body, size = await read_limited(request, self._max_bytes)
            async with self._room:
                reply = await self._accept(mount.receiver, action, body, size, headers)
            self._accepted()
            return response_of(reply)
        if action in mount.biller.questions:
            body, size = await read_limited(request, _MAX_QUESTION)
            return response_of(await self._question(mount.biller, action, body, size, headers))
        if self._take_statement is not None and mount.statements and action in mount.statements.statement_routes:
            return await self._take_statement(request, mount.statements, action)
        raise web.HTTPNotFound

    def _mount(self, request: web.Request) -> BillerMount:
        given = request.match_info["secret"].encode()
        # every one is compared, so that the time tells nothing of which
        found = [mount for mount in self._mounts if hmac.compare_digest(mount.secret, given)]
        if not found:
            raise web.HTTPNotFound
        if found[0].networks and not inside(request.remote, found[0].networks):
            log.warning("biller_network_refused", biller=found[0].biller.name)
            raise web.HTTPNotFound
        return found[0]

    async def _question(
        self, biller: Biller, action: str, body: bytes, size: int, headers: dict[str, str]
    ) -> HttpReply:
        asked: Asked | Rejected
        if size > len(body):
            asked = Rejected(Verdict.TOO_LARGE, f"more than {_MAX_QUESTION} bytes")
        else:
            asked = biller.parse(action, body, headers)
        if isinstance(asked, Rejected):
            ERRORS.labels(_CODES[asked.verdict]).inc()
            BILLER_QUESTIONS.labels(biller.name, action, asked.verdict).inc()
            log.warning("question_refused", biller=biller.name, action=action, verdict=asked.verdict, why=asked.why)
            return biller.refuse(asked)
        if self._questions_left <= 0:
            ERRORS.labels("PAY-NO-ANSWER").inc()
            return biller.render(asked, Unanswered("PAY-NO-ANSWER"))
        self._questions_left -= 1
        try:
            return biller.render(asked, await self._answer(biller.name, asked.question))
        finally:
            self._questions_left += 1
