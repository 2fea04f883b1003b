"""``python -m bench.callback_floor VERSION PORT DATABASE KEYS``: the least that an honest receiver of callbacks can do.

One signature verified over the message's bytes, one row committed, one acknowledgement: signed for v5, constant for v4.
"""

from __future__ import annotations

import sys
from base64 import b64decode, b64encode
from pathlib import Path

import asyncpg
import uvloop
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate

_V4_ACK = b"<Gepg><gepgPmtSpInfoAck><TrxStsCode>7101</TrxStsCode></gepgPmtSpInfoAck></Gepg>"


def application(version: str, url: str, keys: Path) -> web.Application:
    own = load_pem_private_key((keys / "sp.key.pem").read_bytes(), None)
    peer = load_pem_x509_certificate((keys / "gepg.crt.pem").read_bytes()).public_key()
    tag, algorithm = (b"gepgSignature", SHA1()) if version == "v4" else (b"signature", SHA256())

    async def accept(request: web.Request) -> web.Response:
        body = await request.read()
        start, end = body.index(b">") + 1, body.index(b"<" + tag + b">")
        signature = body[end + len(tag) + 2 : body.index(b"</" + tag + b">")]
        peer.verify(b64decode(signature), body[start:end], PKCS1v15(), algorithm)  # type: ignore[union-attr, call-arg]
        await request.app["pool"].execute("INSERT INTO floor VALUES ($1)", body)
        if version == "v4":
            return web.Response(body=_V4_ACK, content_type="application/xml")
        ack = b"<pmtSpNtfReqAck><AckId>A</AckId><ReqId>R</ReqId><AckStsCode>7101</AckStsCode></pmtSpNtfReqAck>"
        signed = b64encode(own.sign(ack, PKCS1v15(), algorithm))  # type: ignore[union-attr, call-arg]
        return web.Response(
            body=b"<Gepg>" + ack + b"<signature>" + signed + b"</signature></Gepg>", content_type="application/xml"
        )

    async def pool(app: web.Application) -> None:
        app["pool"] = await asyncpg.create_pool(url, min_size=10, max_size=10)

    app = web.Application()
    app.on_startup.append(pool)
    app.router.add_post("/payments/gepg/payments", accept)
    return app


def main() -> None:
    version, port, url, keys = sys.argv[1:]
    uvloop.install()
    web.run_app(application(version, url, Path(keys)), host="127.0.0.1", port=int(port), access_log=None, print=None)


if __name__ == "__main__":
    main()
