"""What GePG may say out of turn, in v5: the plays of v4, word for word."""

from __future__ import annotations

from test_processes_gepg_v4 import (  # noqa: F401 - collected here once more, under this module's generation
    stack,
    test_a_number_given_to_two_bills_is_told_to_one,
    test_a_number_that_comes_after_its_bill_was_cancelled_is_not_announced,
    test_a_payment_before_its_control_number_is_settled,
    test_the_number_comes_before_the_answer_to_our_question,
    test_two_bills_paid_in_one_transaction,
)

GENERATION = "v5"
