"""The scenarios of the twin runs: what a family holds, what it pays, and what happens meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import Enum
from typing import Any

from twin_stage import HOUSEHOLD, Held, Person, Plan


class Meanwhile(Enum):
    """What an officer or the nightly job does between the request for a number and the money."""

    NOTHING = "nothing"
    CASH = "an officer takes the whole price in cash"
    HALF = "an officer takes half the price in cash"
    SUSPEND = "an officer suspends the policy"
    NIGHT = "the policy's last day passes, and the nightly job puts it to expired"


@dataclass(frozen=True)
class Money:
    """A payment: a share of what is billed, on a day counted from the day of the run."""

    share: int = 100  # per cent
    day: int = 0
    receipt: str | None = None  # None: a new one


@dataclass(frozen=True)
class Scenario:
    """``product`` and ``converts`` are columns of tblProduct; ``cycles`` are days counted from the day of the run.

    ``kept_as``: the case that the gateway opens instead of placing the last payment; ``beside``: one that it opens
    though it placed the money.
    """

    name: str
    says: str
    product: Mapping[str, Any] = field(default_factory=dict)
    cycles: tuple[int, ...] = ()
    people: tuple[Person, ...] = HOUSEHOLD
    held: tuple[Held, ...] = ()
    pays: tuple[Money, ...] = (Money(),)
    meanwhile: Meanwhile = Meanwhile.NOTHING
    kept_as: str | None = None
    beside: str | None = None
    in_district: bool = False
    converts: Mapping[str, Any] | None = None
    prompted: bool = False  # openIMIS' nightly job has asked the officers to call
    expired: bool = False  # openIMIS' nightly job has put what ran out to 8
    activation_option: int = 1

    @property
    def idle(self) -> bool:
        """Whether an officer's policy waits for the money, so that none is born."""
        return bool(self.held) and self.held[-1].paid != "all"

    def plan(self, day: date) -> Plan:
        cycles = {
            f"StartCycle{number}": _cycle(day + timedelta(days=days)) for number, days in enumerate(self.cycles, 1)
        }
        return Plan({**self.product, **cycles}, self.people, self.held, self.in_district, self.converts)


def _cycle(day: date) -> str:
    """``dd-MM``, on a day that every month has."""
    return f"{min(day.day, 28):02}-{day.month:02}"


_IDLE = Held(-5, paid=None)
_BIG = (Person(58), Person(54), *(Person(age) for age in (16, 14, 12, 10, 7, 5)))
_HEADS = {"LumpSum": 0, "PremiumAdult": 5000, "PremiumChild": 2000}

SCENARIOS: tuple[Scenario, ...] = (
    Scenario("first", "a first payment on the day on which the policy starts"),
    Scenario(
        "before the start", "the product has a waiting time, so that cover starts later", {"AdministrationPeriod": 1}
    ),
    Scenario("officer's policy", "an officer entered the policy five days ago; the money comes now", held=(_IDLE,)),
    Scenario(
        "rest of an officer's policy", "an officer took 10,000; the rest is billed", held=(Held(-5, paid="10000"),)
    ),
    Scenario("paid earlier", "the money was paid two days before it was reported", pays=(Money(day=-2),)),
    Scenario("two instalments", "two payments of one bill", {"MaxInstallments": 2}, pays=(Money(40), Money(60))),
    Scenario(
        "three instalments",
        "three payments of one bill",
        {"MaxInstallments": 3},
        pays=(Money(30), Money(30), Money(40)),
    ),
    Scenario("one of two", "only the first instalment", {"MaxInstallments": 2}, pays=(Money(50),)),
    Scenario("over-paid", "more than was billed", held=(_IDLE,), pays=(Money(120),), kept_as="wrong_amount"),
    Scenario(
        "cash meanwhile in part",
        "an officer took half while the bill was open; then the whole bill is paid",
        held=(_IDLE,),
        meanwhile=Meanwhile.HALF,
        beside="overpaid",
    ),
    Scenario(
        "cash in part before the start",
        "the same, and cover starts in twenty days",
        held=(Held(20, paid=None),),
        meanwhile=Meanwhile.HALF,
        beside="overpaid",
    ),
    Scenario("paid twice", "a bill that is paid is paid once more", pays=(Money(), Money()), kept_as="paid_twice"),
    Scenario("renewed early", "ten days before the cover ends", held=(Held(-355, ends=10),)),
    Scenario("renewed on the last day", "on the day on which the cover ends", held=(Held(-364, ends=0),)),
    Scenario("renewed on the next day", "on the day after the cover ended", held=(Held(-365, ends=-1),)),
    Scenario("renewed late", "forty days after the cover ended", held=(Held(-405, ends=-40),), expired=True),
    Scenario(
        "renewed late, no cycle",
        "forty days late; a grace says nothing where there is no cycle",
        {"GracePeriodRenewal": 2, "WaitingPeriod": 1},
        held=(Held(-405, ends=-40),),
    ),
    Scenario(
        "renewed late with grace",
        "forty days late, the product has a cycle that began a while ago and a grace of two months",
        {"GracePeriodRenewal": 2},
        cycles=(-40,),
        held=(Held(-415, ends=-50),),
        expired=True,
    ),
    Scenario(
        "renewed late past the grace",
        "the same with no grace: the next cycle is next year's",
        cycles=(-40,),
        held=(Held(-415, ends=-50),),
        expired=True,
    ),
    Scenario(
        "renewed early into a cycle in grace",
        "the cycle began ten days ago, and the cover before lasts five days more",
        {"GracePeriodRenewal": 1},
        cycles=(-10,),
        held=(Held(-360, ends=5),),
    ),
    Scenario("prompted", "an officer had been told to call", held=(Held(-370, ends=-5),), prompted=True, expired=True),
    Scenario("prompted early", "the same, before the cover ends", held=(Held(-355, ends=10),), prompted=True),
    Scenario(
        "on an active policy",
        "an officer took the whole price two days ago while the bill was open; then the bill is paid",
        held=(_IDLE,),
        meanwhile=Meanwhile.CASH,
        kept_as="already_covered",
    ),
    Scenario(
        "on an expired policy",
        "the officer's policy ran out while the bill was open",
        held=(_IDLE,),
        meanwhile=Meanwhile.NIGHT,
    ),
    Scenario(
        "on a suspended policy",
        "an officer suspended the policy while the bill was open",
        held=(_IDLE,),
        meanwhile=Meanwhile.SUSPEND,
        kept_as="policy_suspended",
    ),
    Scenario(
        "receipt used",
        "the receipt stands on another policy of the product",
        held=(Held(-380, ends=-10), _IDLE),
        pays=(Money(receipt="OLD-1"),),
        kept_as="receipt_used",
    ),
    Scenario("eight members", "a family of eight where the product covers six", people=_BIG),
    Scenario("eight heads", "the same, priced per head", _HEADS, people=_BIG),
    Scenario("eight members renewed", "the same family renews the day after", people=_BIG, held=(Held(-365, ends=-1),)),
    Scenario("next cycle", "cover starts with the next cycle", cycles=(20, 200)),
    Scenario("cycle in grace", "the cycle has begun, the grace is not over", {"GracePeriod": 1}, cycles=(-10,)),
    Scenario("past the last cycle", "every cycle of this year has begun", cycles=(-60, -40)),
    Scenario(
        "renewed into a cycle", "ten days early; the next cycle starts later", cycles=(20,), held=(Held(-355, ends=10),)
    ),
    Scenario(
        "enrolment discount",
        "early enough before the cycle for a tenth off",
        {"EnrolmentDiscountPerc": 10, "EnrolmentDiscountPeriod": 1},
        cycles=(80,),
    ),
    Scenario(
        "renewal discount",
        "early enough before the expiry for a tenth off",
        {"RenewalDiscountPerc": 10, "RenewalDiscountPeriod": 1},
        held=(Held(-290, ends=75),),
    ),
    Scenario(
        "threshold",
        "a household price for four, and a price for each one more",
        {"Threshold": 4, "PremiumAdult": 5000, "PremiumChild": 2000},
        people=(*HOUSEHOLD, Person(13), Person(61), Person(3)),
    ),
    Scenario(
        "fees in lumps", "registration and assembly", {"RegistrationLumpSum": 3000, "GeneralAssemblyLumpSum": 1500}
    ),
    Scenario("fees per head", "registration and assembly", {"RegistrationFee": 500, "GeneralAssemblyFee": 250}),
    Scenario(
        "fees at renewal",
        "no registration the second time",
        {"RegistrationFee": 500, "GeneralAssemblyFee": 250},
        held=(Held(-365, ends=-1),),
    ),
    Scenario(
        "conversion",
        "the product is sold no more and converts into another",
        held=(Held(-370, ends=-5),),
        prompted=True,
        converts={"LumpSum": 40000},
    ),
    Scenario("district", "the product is sold in one district only", in_district=True),
    Scenario("activation option 2", "the scheme activates with the payment", activation_option=2),
    Scenario("activation option 3", "the scheme activates in two steps", activation_option=3),
)
