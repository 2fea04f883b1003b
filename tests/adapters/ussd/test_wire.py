"""What all wires share, beyond what each channel's own cases show."""

from __future__ import annotations

import pytest

from adapters.ussd import _wire
from adapters.ussd._wire import UnreadableError, form_fields, phone
from gateway.ports import InboundRequest

LONG = "\x01" * 5_000


def test_texts_of_any_length_are_not_remembered() -> None:
    """Short ones come over and over; eight thousand long ones would be half a gigabyte."""
    _wire._remembered.cache_clear()
    _wire._normalised.cache_clear()
    for number in range(20):
        typed = f"{number}{LONG}"
        request = InboundRequest("POST", "", {}, f"{'%41' * 100}=1&text={number}{'%01' * 5_000}".encode())
        assert form_fields(request) == {"A" * 100: "1", "text": typed}
        with pytest.raises(UnreadableError, match="no Tanzanian mobile number"):
            phone({"phone": typed}, "phone")
    kept = _wire._remembered.cache_info().currsize, _wire._normalised.cache_info().currsize
    assert kept == (2, 0), "a short name and a short value"
