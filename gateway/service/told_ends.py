"""The peer's word that a session ended: counted once, where the conversation stood."""

from __future__ import annotations

import structlog

from gateway.ports import ChannelProfile, Ended, SessionStore
from gateway.service.screen_counts import ScreenTally
from gateway.service.session_codec import load

log = structlog.get_logger()
_MARK = b"1"


def told_key(key: str) -> str:
    """Where it is kept that a word of the conversation's end was counted: beside the conversation, for as long."""
    return f"ended:{key}"


class ToldEnds:
    """Looks the conversation up by its id. It is not touched: a turn that is under way may still go on with it."""

    def __init__(self, sessions: SessionStore, tally: ScreenTally) -> None:
        self._sessions = sessions
        self._tally = tally

    async def __call__(self, profile: ChannelProfile, key: str | None, ended: Ended) -> None:
        """``key``: the conversation's in the session store, None where the word does not say enough to know it."""
        stood = None
        if key is not None:
            told = told_key(key)  # a word that comes twice is counted once
            try:
                mark, stored = await self._sessions.load_all((told, key))
                stood = load(stored) if stored is not None else None
                if mark is not None or (stood is not None and ended.msisdn not in (None, stood.msisdn)):
                    return
                await self._sessions.save(told, _MARK, profile.session_ttl_s)
            except (TimeoutError, ConnectionError) as failure:
                log.warning("ussd_end_unplaced", channel=profile.name, why=type(failure).__name__)
        self._tally.told(profile.name, stood, ended)
