"""`python -m sandbox serve|keys|dial`."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from sandbox import terminal
from sandbox.app import serve
from sandbox.keys import ensure_keys
from sandbox.settings import Settings


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="The gateway's counterparties on loopback.")
    commands = parser.add_subparsers(dest="command", required=True)
    served = commands.add_parser("serve", help="play GePG, Africa's Talking, a wallet and a phone")
    served.add_argument("--host", default="127.0.0.1")
    served.add_argument("--port", type=int, default=8090, help="0: the system chooses (default: %(default)s)")
    served.add_argument("--gateway", default="http://127.0.0.1:8080", help="one or more addresses, comma-separated")
    served.add_argument("--keys", type=Path, required=True, help="directory of the throwaway keys; made if missing")
    served.add_argument("--ussd-secret", default="demo", help="the secret path segment (default: %(default)s)")
    served.add_argument("--bank-secret", default="demo", help="the bank's secret path segment (default: %(default)s)")
    served.add_argument("--service-code", action="append", help="a code that is answered (default: *152*00#)")
    served.add_argument("--phones", type=Path, help='JSON file: [{"msisdn", "who"}]')
    served.add_argument("--gepg-delay-s", type=float, default=0.3, help="until a control number comes (%(default)s)")
    keys = commands.add_parser("keys", help="make the throwaway keys that are missing")
    keys.add_argument("directory", type=Path)
    terminal.add_arguments(commands.add_parser("dial", help="a phone in the terminal"))
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """0 good, 1 something went wrong, 2 wrong use."""
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2
    if arguments.command == "dial":
        return terminal.dial(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s sandbox %(message)s")
    try:
        if arguments.command == "keys":
            ensure_keys(arguments.directory)
        else:
            _runner()(serve(_settings(arguments), arguments.host, arguments.port))
    except OSError as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return 1
    return 0


def _settings(arguments: argparse.Namespace) -> Settings:
    return Settings(
        keys=arguments.keys,
        gateways=tuple(gateway.strip() for gateway in arguments.gateway.split(",") if gateway.strip()),
        ussd_secret=arguments.ussd_secret,
        bank_secret=arguments.bank_secret,
        service_codes=tuple(arguments.service_code or ("*152*00#",)),
        phones=arguments.phones,
        gepg_delay_s=arguments.gepg_delay_s,
    )


def _runner() -> Callable[[Coroutine[Any, Any, None]], None]:
    try:
        import uvloop
    except ImportError:
        return asyncio.run
    return uvloop.run


if __name__ == "__main__":
    sys.exit(main())
