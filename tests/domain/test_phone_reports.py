"""Which phones of a family may be told of it."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.phone_reports import may_be_told, phones_of
from gateway.domain.policy import Family, Member

WRITTEN = {"0712000001": "+255712000001", "255 712 000 002": "+255712000002", "+255-655-000003": "+255655000003"}
READ = sorted(WRITTEN.values())


def member(place: int, phone: str | None) -> Member:
    return Member(place, f"07100{place:04}", "Kimaro", "Neema", date(1990, 1, 1), phone=phone)


@given(st.lists(st.sampled_from([*WRITTEN, None, "", "x", "12345"]), min_size=1, max_size=6), st.data())
def test_each_number_once_however_it_is_written_and_the_heads_first(
    written: list[str | None], data: st.DataObject
) -> None:
    members = tuple(member(place, phone) for place, phone in enumerate(written))
    head = data.draw(st.sampled_from(members))
    phones = phones_of(Family(1, head, members))
    assert sorted(phones) == sorted({WRITTEN[phone] for phone in written if phone in WRITTEN})
    if head.phone in WRITTEN:
        assert phones[0] == WRITTEN[head.phone]


@given(st.permutations(READ), st.sets(st.sampled_from([*READ, "+255754999999"])))
def test_none_that_disowns_it_and_all_others_in_their_order(phones: list[str], disowned: set[str]) -> None:
    told = may_be_told(phones, disowned)
    assert not disowned & set(told)
    assert list(told) == [phone for phone in phones if phone in told]
    assert set(phones) - disowned == set(told)
