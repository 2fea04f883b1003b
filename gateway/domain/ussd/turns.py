"""What an aggregator's turn means for a stored conversation: the next key, the same turn again, or a new start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.domain.ussd.session import Session

_LONGEST = 64  # characters of an input that are kept to know it by
KEPT_IDS = 8  # of the turns before, so that a late repeat of an older one moves nothing


@dataclass(frozen=True, slots=True)
class Same:
    """A turn already answered, or older than the screen that stands: the stored reply again, byte for byte."""


@dataclass(frozen=True, slots=True)
class Next:
    """One more answer in a conversation we hold."""

    text: str


@dataclass(frozen=True, slots=True)
class Fresh:
    """A conversation we do not hold: a first dial, answers inside the dialled code, or a session the store lost.

    Its answers are played in order and stop at a confirmation of money.
    """

    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lost:
    """A key for a conversation that we do not hold: it answered a screen that nobody knows, so it is not played.

    The conversation begins anew, and the caller is told so.
    """


@dataclass(frozen=True, slots=True)
class KeyTurn:
    """A turn on a wire that sends the last input only.

    ``text`` is that input; on a first turn it is the dialled code. ``first`` is None where the wire does not say.
    ``id`` is empty where the wire has none. ``codes`` are the dialled codes that lead to us, as configured. ``early``:
    it came while the turn before was still being answered.
    """

    text: str
    first: bool | None = None
    id: str = ""
    codes: Sequence[str] = ()
    early: bool = False


def read_transcript(stored: Session | None, transcript: str) -> Same | Next | Fresh:
    """For wires that send every input so far joined with ``*``. The identity of a turn is (session, transcript).

    =====================  ===========================================================================
    against what we hold   result
    =====================  ===========================================================================
    nothing held           Fresh with all answers
    equal                  Same: a redelivery
    longer by one answer   Next; an answer that holds ``*`` stays one answer
    empty, after the end   Fresh: the session's id is used again
    shorter, a beginning   Same: a late redelivery of an earlier turn moves nothing back
    anything else          Fresh: the transcript diverged, so it is another conversation under this id
    =====================  ===========================================================================
    """
    if stored is None or stored.transcript is None:
        return Fresh(_split(transcript))
    if transcript == stored.transcript:
        return Same()
    joined = f"{stored.transcript}*" if stored.transcript else ""
    if transcript.startswith(joined):
        return Next(transcript[len(joined) :])
    if transcript == "":
        return Fresh(()) if stored.final else Same()
    if stored.transcript.startswith(f"{transcript}*"):
        return Same()
    return Fresh(_split(transcript))


def read_key(stored: Session | None, turn: KeyTurn) -> Same | Next | Fresh | Lost:
    """For wires that send the last input only.

    ====================  ======================  =====================================================================
    we hold               comes                   result
    ====================  ======================  =====================================================================
    one that ended later  its first turn's id     Fresh: the session's id is used again, its turns are counted anew
    anything              an id answered before   Same: a redelivery
    nothing               said to be first        Fresh, with the answers inside the dialled code
    nothing               said not to be          Lost: the store lost it, or it ended long ago
    nothing               not said                Fresh where it is one of our codes, or none is configured; else Lost
    begun, none answered  the dialled code again  Same: the first turn, redelivered
    one that goes on      the last key, early     Same: nobody answers a screen that is not shown yet
    anything else         said to be first        Fresh: the session's id is used again
    one that ended        one of our codes, and   Fresh: the session's id is used again
                          first is not said
    one that ended        a key                   Same: the last screen again
    one that goes on      one of our codes, and   Fresh: the session's id is used again; but a code that is one number
                          first is not said       may be an answer, and is Next
    one that goes on      a key                   Next; a ``*`` in it is a letter like others
    ====================  ======================  =====================================================================

    Without an id a repeated key cannot be told from a new one: it moves the screen on, and what it may bring about
    is kept single by the business keys of the effects.
    """
    if stored is not None and turn.id and turn.id in stored.turns:
        begins_again = stored.final and turn.first and turn.id != stored.turns[-1]
        if not begins_again:
            return Same()
    if stored is not None and turn.first is not False and stored.turns == (_begun(turn),):
        return Same()
    if stored is not None and turn.early and stored.turns == (_answered(turn),):
        return Same()
    inputs = dialled_inputs(turn.text, turn.codes)
    if turn.first:
        return Fresh(inputs or ())
    if stored is None:
        if turn.first is None and (inputs is not None or not turn.codes):
            return Fresh(inputs or ())
        return Lost()
    redialled = turn.first is None and inputs is not None
    if stored.final:
        return Fresh(inputs or ()) if redialled else Same()
    return Fresh(inputs or ()) if redialled and "*" in turn.text.strip("*#") else Next(turn.text)


def may_dial(turn: KeyTurn | str) -> bool:
    """Whether a turn (or a transcript) may be a dial without answers, which takes up what the phone's last one left."""
    if isinstance(turn, str):
        return not turn
    inputs = dialled_inputs(turn.text, turn.codes)
    if turn.first is None:
        return not turn.codes or inputs == ()
    return turn.first and not inputs


def mark(stored: Session | None, turn: KeyTurn, seen: Next | Fresh | Lost) -> tuple[str, ...]:
    """What the session keeps, so that this turn is known when it comes again."""
    if turn.id:
        known = stored.turns if stored is not None and isinstance(seen, Next) else ()
        return (*known, turn.id)[-KEPT_IDS:]
    return (_begun(turn) if isinstance(seen, Fresh) else _answered(turn),)


def _begun(turn: KeyTurn) -> str:
    return f"dialled {turn.text[:_LONGEST]}"


def _answered(turn: KeyTurn) -> str:
    return f"key {turn.text[:_LONGEST]}"


def dialled_inputs(dialled: str, codes: Sequence[str]) -> tuple[str, ...] | None:
    """The answers inside a dialled code: ``*152*00*1*2#`` under ``*152*00#`` holds 1 and 2.

    Wires write one code with or without the leading ``*`` and the closing ``#``. None: it is none of the codes.
    """
    segments = _segments(dialled)
    found = [own for code in codes if segments[: len(own := _segments(code))] == own]
    return tuple(segments[len(max(found, key=len)) :]) if found else None


def _segments(code: str) -> list[str]:
    return code.strip().removeprefix("*").removesuffix("#").split("*")


def _split(transcript: str) -> tuple[str, ...]:
    return tuple(transcript.split("*")) if transcript else ()
