"""Twelve thousand spoilt messages of both generations: an answer to each in little time, and no forgery believed."""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import replace

import pytest
from gepg_samples import VALID, rightly_signed
from hostile.mutations import Mutator

from adapters.payments.gepg import GepgProvider
from gateway.ports import Verdict
from gateway.store import notices

MUTANTS = 6_000
CPU_S = 0.5  # of one message; a request may take a second
CODES = {Verdict.GENUINE: "7101", Verdict.BAD_SIGNATURE: "7303", Verdict.UNREADABLE: "7242", Verdict.TOO_LARGE: "7242"}


@pytest.mark.parametrize("version", ["v4", "v5"])
def test_spoilt_messages(settings, keys, version):
    provider = GepgProvider(replace(settings, version=version))
    valid = {case: element.encode() for case, (element, _) in VALID.items() if ("v4" in case) == (version == "v4")}
    mutator = Mutator(valid, lambda raw: rightly_signed(raw, keys.gepg), seed=20261126)
    verdicts, slowest, wrong = Counter(), (0.0, ()), []
    for mutant in mutator.mutants(MUTANTS):
        began = time.process_time()
        reading = provider.read(mutant.route, mutant.body)
        reply = provider.acknowledge(reading, "ACK-1")
        slowest = max(slowest, (time.process_time() - began, mutant.how))
        verdicts[mutant.is_signed, reading.verdict] += 1
        said = re.search(rb"<(?:AckStsCode|TrxStsCode)>(\d{4})</", reply.body)
        if said is None or said[1].decode() != CODES[reading.verdict] or reply.status not in (200, 400, 413):
            wrong.append((mutant.how, "acknowledgement", reply))
        if bool(reading.notices) != (reading.verdict is Verdict.GENUINE):
            wrong.append((mutant.how, "notices", reading))
        original = VALID[mutant.case][1]
        if not mutant.is_signed and reading.notices and reading.notices != original:
            wrong.append((mutant.how, "a forgery believed", reading))
        for notice in reading.notices:  # what is believed can be kept, and is the same when it is taken out
            kind, fields = notices.dump(notice)
            if notices.load(kind, fields) != notice:
                wrong.append((mutant.how, "not kept as it was", notice))
    print(f"\n{version}: {dict(verdicts)}; slowest {slowest[0] * 1000:.1f} ms of CPU: {slowest[1]}")
    assert wrong == []
    assert slowest[0] < CPU_S
    for is_signed in (True, False):  # each way of being refused was met, and the parser behind the gate was reached
        assert verdicts[is_signed, Verdict.UNREADABLE] > 500
    assert verdicts[True, Verdict.GENUINE] > 300
    assert verdicts[False, Verdict.BAD_SIGNATURE] > 500
