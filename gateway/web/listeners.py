"""The two listeners as aiohttp applications."""

from __future__ import annotations

import asyncio

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from gateway.web.billers import BillerRoutes
from gateway.web.bodies import CHUNK
from gateway.web.connections import Connections
from gateway.web.health import Health
from gateway.web.payments import PaymentRoutes
from gateway.web.statements import StatementRoutes
from gateway.web.ussd import UssdRoutes

BACKLOG = 1_024  # connections that the system holds for us until we accept them
LONGEST_LINE = 65_536  # bytes of a request's address: wires that GET put an answer of any length in it


def public_app(
    health: Health,
    ussd: UssdRoutes,
    payments: PaymentRoutes,
    statements: StatementRoutes | None = None,
    billers: BillerRoutes | None = None,
) -> web.Application:
    """What aggregators and providers reach."""
    app = web.Application()
    ussd.add_to(app)
    payments.add_to(app)
    for routes in (statements, billers):
        if routes is not None:
            routes.add_to(app)
    app.router.add_get("/livez", health.livez)
    app.router.add_get("/readyz", health.readyz)
    return app


def runner(app: web.Application, shutdown_s: float, idle_s: float) -> web.AppRunner:
    """How a listener runs. A connection on which no whole request's head comes for ``idle_s`` seconds is closed.

    Bodies are not unpacked: a packed one is kept as it came, and is no message to anyone. Little is read ahead of the
    handler, so that a connection that nobody serves yet costs what the socket gave at once, a quarter of a megabyte.
    """
    return web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=shutdown_s,
        keepalive_timeout=idle_s,
        handle_signals=False,
        auto_decompress=False,
        read_bufsize=CHUNK,
        max_line_size=LONGEST_LINE,
    )


async def listen(running: web.AppRunner, name: str, connections: int, host: str, port: int) -> asyncio.Server:
    """Accept for a runner that is set up: at most so many connections at once. Close it before the runner.

    Raises OSError where the address cannot be had.
    """
    assert running.server is not None
    bounded = Connections(name, connections, running.server)
    return await asyncio.get_running_loop().create_server(bounded, host, port, backlog=BACKLOG)


def operator_app(health: Health) -> web.Application:
    """What those who run it reach; never exposed outside."""
    app = web.Application()
    app.router.add_get("/livez", health.livez)
    app.router.add_get("/readyz", health.readyz)
    app.router.add_get("/metrics", _metrics)
    return app


async def _metrics(_request: web.Request) -> web.Response:
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
