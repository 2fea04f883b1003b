"""How much of a GePG message is read at all, and the one error that says "no"."""

MAX_BODY_BYTES = 1 << 20  # a notification entry is about 1 KiB; day files go another way
MAX_TAGS = (
    40_000  # about 800 entries, where a combined bill has a handful; following tags is what unsigned bytes cost us
)
MAX_DEPTH = 16  # the deepest known message has five levels
MAX_ID = 100  # ReqId, ResId, AckId, BillId, GrpBillId (GePG v5 billSubReq)


class UnreadableError(ValueError):
    """The bytes are no message that we accept. The sentence names elements, never their values (they are personal)."""


class TooLargeError(UnreadableError):
    """The body is longer than ``MAX_BODY_BYTES``."""
