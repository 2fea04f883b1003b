"""An adapter's answer as aiohttp sends it."""

from __future__ import annotations

from aiohttp import web

from gateway.ports import HttpReply


def response_of(reply: HttpReply) -> web.Response:
    """Byte for byte."""
    headers = {**reply.headers, "Content-Type": reply.content_type}
    return web.Response(status=reply.status, body=reply.body, headers=headers)
