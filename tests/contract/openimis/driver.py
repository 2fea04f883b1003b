"""openIMIS behind a pipe: one JSON request a line on stdin, one JSON answer a line on stdout.

``{"do": "premium", "policy": 5, …}`` is answered ``{"ok": value}``, or ``{"error": "ValidationError", "said": "…"}``
when openIMIS raised or refused. What can be asked is what operations.py lists, and a function's parameters are the
request's other keys. Money crosses as text, days as ISO text.

The server is told in OPENIMIS_DB_HOST, _PORT, _USER and _PASSWORD; which database, each ``use`` says. It runs in an
interpreter of its own, where the packages of requirements/openimis.txt are and ours are not.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback


def main() -> None:
    """Serve until stdin ends."""
    # openIMIS prints; only answers may go where answers are read
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
    os.environ["NO_DATABASE"] = "1"  # modules configure themselves from their defaults, not from a database
    import django

    django.setup()
    import operations

    for line in sys.stdin:
        request = json.loads(line)
        name = request.pop("do")
        try:
            answer = {"ok": operations.ALL[name](**request)}
        except Exception as failure:
            traceback.print_exc(file=sys.stderr)
            answer = {"error": type(failure).__name__, "said": str(failure)}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
