"""An adapter's answer as aiohttp sends it."""

from __future__ import annotations

from aiohttp import web

from gateway.ports import HttpReply


def response_of(reply: HttpReply) -> web.Response:
    """Byte for byte; for this one request only.

    On a wire that GETs, the same key twice is the same address: a proxy's copy would be the screen of another turn.
    """
    headers = {"Cache-Control": "no-store", **reply.headers, "Content-Type": reply.content_type}
    return web.Response(status=reply.status, body=reply.body, headers=headers)
