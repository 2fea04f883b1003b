"""What an aggregator's turn means for a stored conversation: the next key, the same turn again, or a new start."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.domain.ussd.session import Session


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


def read_transcript(stored: Session | None, transcript: str) -> Same | Next | Fresh:
    """For wires that send every input so far joined with ``*``. The identity of a turn is (session, transcript).

    =====================  ===========================================================================
    against what we hold   result
    =====================  ===========================================================================
    nothing held           Fresh with all answers
    equal                  Same: a redelivery
    longer by one answer   Next; an answer that holds ``*`` stays one answer
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
    if stored.transcript.startswith(f"{transcript}*") or transcript == "":
        return Same()
    return Fresh(_split(transcript))


def _split(transcript: str) -> tuple[str, ...]:
    return tuple(transcript.split("*")) if transcript else ()
