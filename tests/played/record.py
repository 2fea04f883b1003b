"""Write the screens, asks and effects of conversations anew from what is seen; a person reads the difference."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from gateway.menu_tools.conversation import written
from played.conversation import Conversation
from played.talk import MSISDN


def recorded(conversation: Conversation) -> str:
    """The file's whole text."""
    seen = {language: [s for _, s in conversation.play(language)] for language in conversation.languages}
    return written(conversation.data, seen, MSISDN)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = Path(name)
        found = Conversation(path.stem, tomllib.loads(path.read_text(encoding="utf-8")))
        path.write_text(recorded(found), encoding="utf-8")
