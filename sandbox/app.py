"""The sandbox as one aiohttp application, and the process that serves it."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import datetime

from aiohttp import web

from sandbox import bank as bank_routes
from sandbox import clock, faults, phone, wallet
from sandbox.africastalking import AfricasTalking
from sandbox.aggregator import Aggregator
from sandbox.bank import Bank
from sandbox.courier import Courier
from sandbox.gepg import Gepg
from sandbox.keys import ensure_keys, load_keys
from sandbox.settings import Settings
from sandbox.tasks import Tasks

log = logging.getLogger("sandbox")

_SHUTDOWN_S = 1.0


def create_app(settings: Settings, now: Callable[[], datetime] = clock.now) -> web.Application:
    """Everything wired together; keys are made if they are missing. `now` gives East Africa Time."""
    ensure_keys(settings.keys)
    keys, tasks, troubles = load_keys(settings.keys), Tasks(), faults.Faults()
    courier = Courier(settings, keys, troubles)
    gepg = Gepg(settings, keys, courier, troubles, tasks, now)
    bank = Bank(settings, troubles, tasks, now)
    aggregator = Aggregator(settings, courier, tasks)

    async def run(app: web.Application) -> AsyncIterator[None]:
        await courier.start()
        await bank.start()
        aggregator.start()
        yield
        await tasks.close()
        await courier.close()
        await bank.close()

    async def let_go(app: web.Application) -> None:
        """Before the server waits for open requests: end what they are waiting for."""
        troubles.clear()
        await tasks.close()

    async def ready(request: web.Request) -> web.Response:
        return web.json_response({"ready": True})

    app = web.Application()
    app.cleanup_ctx.append(run)
    app.on_shutdown.append(let_go)
    app.add_routes([web.get("/readyz", ready), web.get("/livez", ready)])
    app.add_routes(gepg.routes())
    app.add_routes(AfricasTalking(troubles).routes())
    app.add_routes(aggregator.routes())
    app.add_routes(wallet.routes(gepg, now))
    app.add_routes(bank_routes.routes(bank))
    app.add_routes(faults.routes(troubles))
    app.add_routes(phone.routes(settings))
    return app


async def serve(settings: Settings, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT. Port 0 lets the system choose; the log names the address. Raises OSError."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    runner = web.AppRunner(create_app(settings), access_log=None, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        bound = runner.addresses[0][1]
        log.info("listening on http://%s:%d, calling %s", host, bound, ", ".join(settings.gateways))
        await stop.wait()
        log.info("stopping")
    finally:
        with suppress(asyncio.CancelledError):
            await runner.cleanup()
