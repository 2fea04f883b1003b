"""A bank's side of the contract in docs/bank.md. Python 3.9 or newer, standard library only: copy it and go on.

    python bank_client.py lookup --number 994120000011        or --chfid 100000014
    python bank_client.py notice --number 994120000011 --amount 30000.00 --reference FT26329A7Q1 --phone 0712000001
    python bank_client.py status --reference FT26329A7Q1
    python bank_client.py statement --file day.csv            or a .json

Address and key come from BANK_URL, BANK_KEY_ID and BANK_KEY; without them it speaks to the demo on this machine.
Exit codes: 0 answered, 1 refused (the answer says why), 2 no answer that can be believed: send the same again.
"""

import argparse
import hashlib
import hmac
import http.client
import json
import os
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import urlsplit

URL = os.environ.get("BANK_URL", "http://127.0.0.1:8080/payments/bank/demo")
KEY_ID = os.environ.get("BANK_KEY_ID", "demo")
KEY = os.environ.get("BANK_KEY", "the-sandbox-bank-and-the-demo-share-this-key").encode()
TRIES, WAIT_S, TIMEOUT_S, TOLERANCE_S = 5, 1.0, 10, 300


class NotBelieved(Exception):
    """Nothing came back that the gateway has signed: whether it was taken is not known. ``again``: soon, or mended."""

    def __init__(self, why: str, again: bool = True) -> None:
        super().__init__(why)
        self.again = again


def sign(*parts: bytes) -> str:
    """Hex HMAC-SHA256 over the parts with a point between them."""
    return hmac.new(KEY, b".".join(parts), hashlib.sha256).hexdigest()


def ask(action: str, body: bytes, content_type: str = "application/json") -> "tuple[int, dict]":
    """Send once: HTTP status and answer. Raises NotBelieved."""
    url = urlsplit(URL)
    stamp = str(int(time.time()))
    signature = sign(stamp.encode(), body)
    headers = {
        "Content-Type": content_type,
        "X-Bank-Key-Id": KEY_ID,
        "X-Bank-Timestamp": stamp,
        "X-Bank-Signature": signature,
    }
    secure = url.scheme == "https"
    connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = connect(url.hostname or "", url.port, timeout=TIMEOUT_S)
    try:
        connection.request("POST", f"{url.path}/{action}", body, headers)
        response = connection.getresponse()
        said = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise NotBelieved(f"no answer: {error}") from None
    finally:
        connection.close()
    their_stamp = response.headers.get("X-Bank-Timestamp", "")
    expected = sign(their_stamp.encode(), signature.encode(), said)  # it names our request, so it answers no other
    if not hmac.compare_digest(expected, response.headers.get("X-Bank-Signature", "")):
        why = f"HTTP {response.status}, not signed by the gateway: {said[:200].decode('utf-8', 'replace')}"
        raise NotBelieved(why, again=response.status not in (401, 404, 413))  # those: address, key, clock, size
    if abs(time.time() - int(their_stamp)) > TOLERANCE_S:
        raise NotBelieved("the answer is old, or one of the two clocks is wrong")
    return response.status, json.loads(said)


def ask_until_answered(action: str, body: bytes, content_type: str = "application/json") -> "tuple[int, dict]":
    """The same body until an answer can be believed: sending again is safe, each payment counts once."""
    for turn in range(TRIES):
        try:
            status, answer = ask(action, body, content_type)
            if status < 500:
                return status, answer
            why = NotBelieved(f"HTTP {status}: {answer.get('message')}")
        except NotBelieved as failure:
            why = failure
        if not why.again:
            break
        if turn + 1 < TRIES:
            time.sleep(WAIT_S * 2**turn)
    raise why


def main() -> int:
    parser = argparse.ArgumentParser(description="A bank's look-up, notice, status question and statement.")
    parser.add_argument("action", choices=["lookup", "notice", "status", "statement"])
    parser.add_argument("--number", help="a control number")
    parser.add_argument("--chfid", help="an insurance number, instead")
    parser.add_argument("--amount", help="decimal text in shillings, like 30000.00")
    parser.add_argument("--reference", help="your own, unique for ever")
    parser.add_argument("--phone", help="of who pays; gets a receipt by SMS")
    parser.add_argument("--file", type=Path, help="a day's statement, .csv or .json")
    given = parser.parse_args()
    number = {"control_number": given.number} if given.number else {"chfid": given.chfid}
    content_type = "application/json"
    if given.action == "statement":
        if given.file is None:
            parser.error("--file is needed")
        body = given.file.read_bytes()
        content_type = "text/csv" if given.file.suffix == ".csv" else content_type
    elif given.action == "status":
        body = json.dumps({"reference": given.reference}).encode()
    elif given.action == "lookup":
        body = json.dumps(number).encode()
    else:
        paid_at = datetime.now(timezone(timedelta(hours=3))).isoformat(timespec="seconds")
        notice = {"reference": given.reference, **number, "amount": given.amount, "currency": "TZS", "paid_at": paid_at}
        body = json.dumps({**notice, "payer_msisdn": given.phone, "channel": "COUNTER"}).encode()
    try:
        status, answer = ask_until_answered(given.action, body, content_type)
    except NotBelieved as failure:
        print(failure, file=sys.stderr)
        return 2
    print(json.dumps(answer, indent=2, ensure_ascii=False))
    return 0 if status == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
