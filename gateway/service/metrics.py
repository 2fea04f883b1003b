"""What is counted. Labels are few and never personal."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

USSD_TURNS = Counter("gateway_ussd_turns_total", "Turns answered.", ["channel", "result"])
USSD_ENDS = Counter("gateway_ussd_ends_total", "Ends of sessions as the channels tell them.", ["channel", "status"])
USSD_SCREENS = Counter(
    "gateway_ussd_screens_total",
    "What conversations came to at each screen, a few seconds late.",
    ["channel", "menu", "screen", "event"],
)
USSD_PUSHES = Counter("gateway_ussd_pushes_total", "Screens pushed to a channel, by outcome.", ["channel", "outcome"])
USSD_SECONDS = Histogram(
    "gateway_ussd_reply_seconds", "Time to a reply.", buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8)
)
USSD_IN_FLIGHT = Gauge("gateway_ussd_in_flight", "Turns being answered now.")
USSD_PROMISES = Counter(
    "gateway_ussd_answers_promised_total", "Answers promised by SMS, by result.", ["fact", "result"]
)
BREAKER_OPEN = Gauge("gateway_breaker_open", "1: fails in a row, and is tried once in a while.", ["what"])
BREAKER_SPARED = Counter("gateway_breaker_spared_total", "Not tried, since it fails in a row.", ["what"])
CONNECTIONS_OPEN = Gauge("gateway_connections_open", "Connections held now.", ["listener"])
CONNECTIONS_REFUSED = Counter(
    "gateway_connections_refused_total", "Connections turned away, since as many were open as may.", ["listener"]
)
CALLBACKS = Counter("gateway_callbacks_total", "Provider callbacks.", ["provider", "route", "verdict"])
ENTRIES = Counter("gateway_entries_total", "Inbox entries settled, by result.", ["kind", "state"])
EFFECTS = Counter("gateway_effects_total", "Effects tried, by outcome.", ["kind", "outcome"])
CASES = Counter("gateway_cases_total", "Cases opened for a person.", ["kind"])
REPAIRS = Counter("gateway_repairs_total", "Policies of others put right, by what was wrong.", ["kind"])
ERRORS = Counter("gateway_errors_total", "Errors by code of the error table.", ["code"])
POOL = Gauge("gateway_pool_numbers", "Control numbers of the pool, asked for and ready.", ["product", "state"])
OUTBOX = Gauge("gateway_outbox_rows", "Outbox rows that are not done.", ["state"])
STATEMENT_LINES = Counter("gateway_statement_lines_total", "Lines of statements reconciled.", ["provider"])
DIFFERENCES = Gauge("gateway_day_differences", "Differences of the day reconciled last, by kind.", ["provider", "kind"])
LAST_GOOD_DAY = Gauge(
    "gateway_last_good_day_age_days", "Days since the newest day that was matched to the shilling.", ["provider"]
)
PURGE_AGE = Gauge("gateway_purge_age_days", "Days since no personal data was past its time.")
BILLER_QUESTIONS = Counter(
    "gateway_biller_questions_total", "Billers' questions, by answer.", ["biller", "question", "result"]
)
BILLER_SECONDS = Histogram(
    "gateway_biller_answer_seconds", "Time to an answer.", buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4)
)
