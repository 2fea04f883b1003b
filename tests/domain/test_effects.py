"""Effects as they stand in the outbox, and as workers of several releases read them."""

from __future__ import annotations

import json

import pytest

from gateway.domain.effects import KINDS, SendSms, SubmitBill, from_payload, payload

_SMS = SendSms("+255712000002", "Asante.", "receipt", "payment:1/2", 7)


@pytest.mark.parametrize("effect", [_SMS, SubmitBill("b-1", 3)])
def test_what_is_written_is_read(effect: SendSms | SubmitBill) -> None:
    assert from_payload(effect.kind, json.loads(json.dumps(payload(effect)))) == effect


def test_a_field_of_a_later_release_is_passed_over() -> None:
    assert from_payload(_SMS.kind, {**payload(_SMS), "of_a_later_release": {"any": "thing"}}) == _SMS


def test_a_field_that_an_earlier_release_did_not_write_has_its_default() -> None:
    written = payload(_SMS)
    del written["family_id"]
    assert from_payload(_SMS.kind, written) == SendSms(_SMS.to, _SMS.text, _SMS.message, _SMS.about)


def test_a_kind_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(KeyError):
        from_payload("of_a_later_release", {})
    assert all(name == known.kind for name, known in KINDS.items())
