"""One phone, however it is spelt; two phones, never one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.msisdn import masked, normalise, without_plus

SPELLINGS = [
    "0712000001",
    "712000001",
    "255712000001",
    "+255712000001",
    "00255712000001",
    "+255 712 000 001",
    "0712-000-001",
    "(0712) 000 001",
    "0712.000.001",
    "0712/000001",
    "+255 (0) 712 000001",
    "2550712000001",
    "\t0712\u00a0000\u2013001 ",
]


@pytest.mark.parametrize("text", SPELLINGS)
def test_every_spelling_of_one_phone(text: str) -> None:
    assert normalise(text) == "+255712000001"


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "   ",
        "hakuna",
        "071200000",  # a digit short
        "07120000012",  # a digit long
        "0222110000",  # a landline
        "0812000001",
        "+254712000001",  # Kenya
        "254712000001",
        "0712000001/0713000002",
        "0712000001 0713000002",
        "0712000001,",
        "07120000o1",
        "٠٧١٢٠٠٠٠٠١",  # other digits
        "++255712000001",
        "tel:0712000001",
        "0" * 41,
    ],
)
def test_anything_else_is_nobody(text: str | None) -> None:
    assert normalise(text) is None


def test_as_payment_messages_write_it() -> None:
    assert without_plus("+255712000001") == "255712000001"
    assert len(without_plus("+255712000001")) == 12  # tblPayment.PhoneNumber


@pytest.mark.parametrize(
    ("text", "shown"), [("+255712000001", "+2557…001"), ("071200", "…"), ("", "…"), ("12345678", "…")]
)
def test_masks(text: str, shown: str) -> None:
    assert masked(text) == shown


subscribers = st.from_regex(r"[67][0-9]{8}", fullmatch=True)
noise = st.sampled_from(["", " ", "-", ".", "\u00a0", "("])


@given(subscribers, st.sampled_from(["0", "", "255", "+255", "00255"]), st.lists(noise, min_size=9, max_size=9))
def test_prefix_and_noise_do_not_matter(subscriber: str, prefix: str, between: list[str]) -> None:
    spelt = prefix + "".join(a + b for a, b in zip(between, subscriber, strict=True))
    assert normalise(spelt) == "+255" + subscriber


@given(st.text(alphabet="0123456789+- ()./abc", max_size=45))
def test_normal_forms_stay(text: str) -> None:
    number = normalise(text)
    if number is not None:
        assert normalise(number) == number
        assert len(number) == 13
        digits = "".join(c for c in text if c.isdigit())
        assert digits.endswith(number[4:])


@given(subscribers, subscribers)
def test_two_phones_are_never_one(one: str, other: str) -> None:
    assert (normalise("0" + one) == normalise("+255" + other)) is (one == other)


@given(subscribers)
def test_a_mask_hides_the_middle(subscriber: str) -> None:
    shown = masked("+255" + subscriber)
    assert len(shown) == 9
    assert subscriber[1:6] not in shown
