"""The floors: what the same machine does with the same client when there is nothing of ours in the way.

``python -m bench.floors bare PORT`` answers every request with a constant screen; ``python -m bench.floors redis PORT
URL`` does one GET and one SET per request, awaited one after the other, as a plain handler would.
"""

from __future__ import annotations

import sys

import uvloop
from aiohttp import web
from redis.asyncio import Redis

SCREEN = (
    b"CON Bima ya CHF: HAI\nhadi 21/11/2027\n"
    b"1 Lipia bima\n2 Namba ya malipo\n3 Familia yangu\n4 Malipo yangu\n5 Mengine"
)


def reply() -> web.Response:
    return web.Response(body=SCREEN, headers={"Content-Type": "text/plain; charset=utf-8"})


async def bare(request: web.Request) -> web.Response:
    await request.read()
    return reply()


def with_redis(url: str) -> web.Application:
    client = Redis.from_url(url)

    async def handler(request: web.Request) -> web.Response:
        body = await request.read()
        key = "bench:" + body[:50].decode("latin-1")
        await client.get(key)
        await client.set(key, body, ex=180)
        return reply()

    app = web.Application()
    app.router.add_post("/ussd/{channel}/{secret}", handler)
    return app


def without_state() -> web.Application:
    app = web.Application()
    app.router.add_post("/ussd/{channel}/{secret}", bare)
    return app


def main() -> None:
    kind, port, *rest = sys.argv[1:]
    app = without_state() if kind == "bare" else with_redis(rest[0])
    uvloop.install()
    web.run_app(app, host="127.0.0.1", port=int(port), access_log=None, print=None)


if __name__ == "__main__":
    main()
