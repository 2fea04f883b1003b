"""A basic phone in a terminal, by way of a running sandbox.

Type what the phone's keys would enter and press Enter; `h` hangs up, as does the end of the input.
"""

import argparse
import http.client
import json
import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, TextIO
from urllib.parse import quote, urlsplit

WIDTH = 27
_TIMEOUT_S = 15.0


class NoSandbox(Exception):
    """The sandbox cannot be reached, or answered something that it should not."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("msisdn", help="the phone's number, like +255712345678")
    parser.add_argument("code", nargs="?", default="*152*00#", help="what is dialled (default: %(default)s)")
    parser.add_argument("--sandbox", default="http://127.0.0.1:8090", help="address (default: %(default)s)")
    parser.add_argument("--keys", help="answers to play, comma-separated, like 1,1; then hang up")


def main(argv: Sequence[str] | None = None) -> int:
    """Exit codes: 0 good, 1 no connection or the network's error, 2 wrong use."""
    parser = argparse.ArgumentParser(prog="dial", description="A basic phone in the terminal.")
    add_arguments(parser)
    try:
        return dial(parser.parse_args(argv))
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2


def dial(arguments: argparse.Namespace) -> int:
    """Run one call as the parsed arguments say."""
    if not re.fullmatch(r"\+?\d{7,15}", arguments.msisdn, re.ASCII):
        sys.stderr.write("dial: the number must look like +255712345678\n")
        return 2
    if not re.fullmatch(r"[*#][\d*#]*#", arguments.code, re.ASCII):
        sys.stderr.write("dial: the code must look like *152*00#\n")
        return 2
    keys = arguments.keys.split(",") if arguments.keys is not None else None
    return run_dial(arguments.sandbox, arguments.msisdn, arguments.code, keys)


def run_dial(
    sandbox: str,
    msisdn: str,
    code: str,
    keys: Sequence[str] | None = None,
    source: TextIO | None = None,
    out: TextIO | None = None,
) -> int:
    """One call. With `keys` they are played and echoed; otherwise lines are read from `source` (standard input).

    Returns 0; 1 if the sandbox cannot be reached or the call ended with the network's error.
    """
    out = out or sys.stdout
    answers = _played(keys, out) if keys is not None else _typed(source or sys.stdin, out)
    try:
        good = _call(sandbox, msisdn, code, answers, out)
        _show_messages(sandbox, msisdn, out)
    except NoSandbox as error:
        out.write(f"{error}\n")
        return 1
    return 0 if good else 1


def _call(sandbox: str, msisdn: str, code: str, answers: Iterator[str], out: TextIO) -> bool:
    screen = _ask(sandbox, "POST", "/sandbox/ussd/dial", {"msisdn": msisdn, "code": code})
    while True:
        out.write(box(str(screen["text"])))
        if screen["state"] != "CON":
            if screen["problem"]:
                out.write(f"({screen['problem']})\n")
            return not screen["problem"]
        answer = next(answers, "h")
        if answer.lower() == "h":
            _ask(sandbox, "POST", "/sandbox/ussd/hangup", {"session_id": screen["session_id"]})
            out.write("- hung up -\n")
            return True
        body = {"session_id": screen["session_id"], "input": answer}
        screen = _ask(sandbox, "POST", "/sandbox/ussd/answer", body)


def _played(keys: Sequence[str], out: TextIO) -> Iterator[str]:
    for key in keys:
        out.write(f"> {key}\n")
        yield key


def _typed(source: TextIO, out: TextIO) -> Iterator[str]:
    while True:
        out.write("> ")
        out.flush()
        line = source.readline()
        if not line:
            out.write("\n")
            return
        yield line.strip()


def _show_messages(sandbox: str, msisdn: str, out: TextIO) -> None:
    messages = _ask(sandbox, "GET", f"/sandbox/sms?to={quote(msisdn)}", None)
    out.write(f"SMS for {msisdn}: {len(messages) or 'none'}\n")
    for message in messages:
        out.write(f"  {message['at'][:19]} {message['from']}: {message['text']}\n")


def box(text: str) -> str:
    """The screen of a basic phone: lines of 27 characters in a frame."""
    lines = [part for line in text.split("\n") for part in (textwrap.wrap(line, WIDTH) or [""])]
    edge = "+" + "-" * (WIDTH + 2) + "+\n"
    return edge + "".join(f"| {line.ljust(WIDTH)} |\n" for line in lines) + edge


def _ask(sandbox: str, method: str, path: str, body: dict[str, object] | None) -> Any:
    """One JSON exchange with the sandbox. Raises NoSandbox."""
    parts = urlsplit(sandbox)
    try:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=_TIMEOUT_S)
    except ValueError as error:
        raise NoSandbox(f"no sandbox at {sandbox}: {error}") from None
    try:
        content = None if body is None else json.dumps(body)
        connection.request(method, path, content, {"Content-Type": "application/json"})
        response = connection.getresponse()
        reply = response.read()
        if response.status != 200:
            raise NoSandbox(f"the sandbox answered HTTP {response.status}: {reply[:200].decode('utf-8', 'replace')}")
        return json.loads(reply)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NoSandbox(f"no sandbox at {sandbox}: {error}") from None
    finally:
        connection.close()
