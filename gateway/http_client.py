"""Our calls to counterparties: one pooled client, a budget for each call, no exception for the network."""

from __future__ import annotations

import aiohttp

from gateway.domain.outcomes import Outcome, Unknown, Unreachable
from gateway.ports import HttpRequest, HttpResponse

_MAX_RESPONSE = 1_000_000  # bytes; what is beyond them is not read
_CHUNK = 65_536


class AiohttpClient:
    """See ``gateway.ports.HttpClient``. Redirects are not followed: a signed request goes where it was addressed."""

    def __init__(self, connections: int = 64) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections, ttl_dns_cache=60), auto_decompress=True
        )

    async def send(self, request: HttpRequest, timeout_s: float) -> HttpResponse | Outcome:
        timeout = aiohttp.ClientTimeout(total=timeout_s, connect=min(5.0, timeout_s))
        try:
            async with self._session.request(
                request.method,
                request.url,
                data=request.body,
                headers=dict(request.headers),
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                body = await _body(response.content)
                headers = {name.lower(): value for name, value in response.headers.items()}
                return HttpResponse(response.status, headers, body)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as failure:
            return Unreachable(type(failure).__name__)  # no connection: the request never left
        except (aiohttp.ClientError, TimeoutError, OSError) as failure:
            return Unknown(type(failure).__name__)  # it may have arrived

    async def close(self) -> None:
        """Close the pool."""
        await self._session.close()


async def _body(content: aiohttp.StreamReader) -> bytes:
    """To its end: an answer comes in as many pieces as the network likes, and a part of one reads as no answer."""
    body = bytearray()
    async for chunk in content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) >= _MAX_RESPONSE:
            break
    return bytes(body[:_MAX_RESPONSE])
