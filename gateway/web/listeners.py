"""The two listeners as aiohttp applications."""

from __future__ import annotations

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from gateway.web.billers import BillerRoutes
from gateway.web.health import Health
from gateway.web.payments import PaymentRoutes
from gateway.web.ussd import UssdRoutes


def public_app(
    health: Health, ussd: UssdRoutes, payments: PaymentRoutes, billers: BillerRoutes | None = None
) -> web.Application:
    """What aggregators and providers reach."""
    app = web.Application()
    ussd.add_to(app)
    payments.add_to(app)
    if billers is not None:
        billers.add_to(app)
    app.router.add_get("/livez", health.livez)
    app.router.add_get("/readyz", health.readyz)
    return app


def operator_app(health: Health) -> web.Application:
    """What those who run it reach; never exposed outside."""
    app = web.Application()
    app.router.add_get("/livez", health.livez)
    app.router.add_get("/readyz", health.readyz)
    app.router.add_get("/metrics", _metrics)
    return app


async def _metrics(_request: web.Request) -> web.Response:
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
