"""A registry the size of a country's: a quarter of a million families in openIMIS' own tables on PostgreSQL.

Made by the server itself from ``generate_series``, in two connections at once. Needs a superuser: foreign keys are not
looked at while it loads. Nothing is dropped, and rows that are there already stay; ours are numbered after them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import asyncpg

FAMILIES = 250_000
MEMBERS = 4  # of each family, the first its head
_FIRST_CHFID = 20_000_000  # running part, beyond the demo's
_FIRST_PHONE = 620_000_000


@dataclass(frozen=True, slots=True)
class Loaded:
    """Where the rows begin: keys are ``…_after + 1`` onwards, without a gap."""

    families: int
    family_after: int
    insuree_after: int
    policy_after: int

    def head(self, n: int) -> int:
        """The InsureeID of the head of the n-th family (from 1)."""
        return self.insuree_after + (n - 1) * MEMBERS + 1

    def msisdn(self, n: int) -> str:
        """The head's phone as callers have it."""
        return f"+255{_FIRST_PHONE + n}"

    def chfid(self, n: int) -> str:
        """The head's insurance number, by the rule of gateway.domain.chfid."""
        number = _FIRST_CHFID + (n - 1) * MEMBERS + 1
        return f"{number:08}{number % 7}"


# What every statement counts on: n numbers families from 1, and p, i, f, … are what the tables held before.
_PLACES = (
    """INSERT INTO "tblLocations" ("LocationId", "LocationUUID", "LocationCode", "LocationName", "LocationType",
                                   "ParentLocationId", "AuditUserId", "ValidityFrom")
       SELECT {location} + n, gen_random_uuid(), 'L' || n, 'Mahali ' || n,
              CASE WHEN n = 1 THEN 'R' WHEN n <= 11 THEN 'D' WHEN n <= 111 THEN 'W' ELSE 'V' END,
              CASE WHEN n = 1 THEN NULL ELSE {location} + (n + 8) / 10 END, 1, {long_ago}
       FROM generate_series(1, 1111) n""",
    """INSERT INTO "tblOfficer" ("OfficerID", "OfficerUUID", "Code", "LastName", "OtherNames", "Phone", "AuditUserID",
                                 "ValidityFrom")
       SELECT {officer} + n, gen_random_uuid(), 'B' || n, 'Mollel', 'Afisa ' || n, '0754' || lpad(n::text, 6, '0'), 1,
              {long_ago}
       FROM generate_series(1, 2500) n""",
    """INSERT INTO "tblProduct" ("ProdID", "ProdUUID", "ProductCode", "ProductName", "InsurancePeriod", "DateFrom",
                                 "DateTo", "LumpSum", "MemberCount", "GracePeriod", "GracePeriodRenewal",
                                 "MaxInstallments", "AccCodePremiums", "LocationId", "AuditUserID", "ValidityFrom")
       SELECT {product} + n, gen_random_uuid(), 'BCH' || n, 'CHF ya mfano ' || n, 12, {long_ago}, '2099-12-31',
              20000 + n * 1000, 6, 0, 1, 0, 'SP19960', CASE WHEN n = 1 THEN NULL ELSE {location} + n END, 1, {long_ago}
       FROM generate_series(1, 20) n""",
)

_PEOPLE = (
    """INSERT INTO "tblFamilies" ("FamilyID", "FamilyUUID", "InsureeID", "LocationId", "isOffline", "AuditUserID",
                                  "ValidityFrom")
       SELECT {family} + n, gen_random_uuid(), {insuree} + (n - 1) * {members} + 1, {location} + 112 + n % 1000, false,
              1, {long_ago}
       FROM generate_series(1, {families}) n""",
    """INSERT INTO "tblInsuree" ("InsureeID", "InsureeUUID", "FamilyID", "CHFID", "LastName", "OtherNames", "DOB",
                                 "IsHead", "Phone", "Relationship", "isOffline", "AuditUserID", "ValidityFrom")
       SELECT {insuree} + m, gen_random_uuid(), {family} + (m - 1) / {members} + 1,
              lpad(number::text, 8, '0') || number % 7, 'Mushi', 'Mtu ' || m,
              {today}::date - 3000 - m % 15000, is_head,
              CASE WHEN is_head THEN CASE m / {members} % 5
                  WHEN 0 THEN '0' || phone WHEN 1 THEN '255' || phone WHEN 2 THEN '+255' || phone
                  WHEN 3 THEN '0' || left(phone, 3) || ' ' || substr(phone, 4, 3) || ' ' || right(phone, 3)
                  ELSE '+255-' || left(phone, 3) || '-' || right(phone, 6) END END,
              CASE WHEN is_head THEN NULL WHEN m % {members} = 2 THEN 8 ELSE 4 END, false, 1, {long_ago}
       FROM generate_series(1, {families} * {members}) m,
            LATERAL (SELECT {first_chfid} + m AS number, m % {members} = 1 AS is_head,
                            ({first_phone} + (m - 1) / {members} + 1)::text AS phone) made""",
)

# Of ten families: six covered (one of them renewed early), three run out (one of those seen by the nightly job), one
# enrolled and unpaid. One in ten has a history row besides.
_POLICIES = (
    """INSERT INTO "tblPolicy" ("PolicyID", "PolicyUUID", "FamilyID", "ProdID", "OfficerID", "PolicyStage",
                                "PolicyStatus", "PolicyValue", "EnrollDate", "StartDate", "EffectiveDate", "ExpiryDate",
                                "isOffline", "AuditUserID", "ValidityFrom", "ValidityTo", "LegacyID")
       SELECT {policy} + k, gen_random_uuid(), {family} + n, {product} + 1, {officer} + 1 + n % 2500,
              CASE WHEN k > {families} THEN 'R' ELSE 'N' END,
              CASE WHEN kind = 9 OR history THEN 1 WHEN kind = 8 THEN 8 ELSE 2 END, 21000, starts, starts,
              CASE WHEN kind = 9 OR history THEN NULL ELSE starts END, starts + 364, false, 1, {long_ago},
              CASE WHEN history THEN {today}::date - 1 END, CASE WHEN history THEN {policy} + n END
       FROM generate_series(1, {families} * 6 / 5) k,
            LATERAL (SELECT k > {families} * 11 / 10 AS history) past,
            LATERAL (SELECT CASE WHEN k <= {families} THEN k WHEN history THEN (k - {families} * 11 / 10) * 10
                                 ELSE (k - {families}) * 10 - 7 END AS n) owner,
            LATERAL (SELECT n % 10 AS kind) family,
            LATERAL (SELECT {today}::date - CASE WHEN kind = 9 THEN 3 WHEN kind >= 6 THEN 365 + n % 700
                                                 ELSE n % 360 END
                            + CASE WHEN k > {families} AND NOT history THEN 365 ELSE 0 END AS starts) days""",
    """INSERT INTO "tblInsureePolicy" ("InsureePolicyID", "InsureeID", "PolicyId", "EnrollmentDate", "StartDate",
                                       "EffectiveDate", "ExpiryDate", "isOffline", "AuditUserID", "ValidityFrom")
       SELECT {coverage} + ("PolicyID" - {policy} - 1) * {members} + m,
              {insuree} + ("FamilyID" - {family} - 1) * {members} + m, "PolicyID", "EnrollDate", "StartDate",
              "EffectiveDate", "ExpiryDate", false, 1, {long_ago}
       FROM "tblPolicy", generate_series(1, {members}) m
       WHERE "PolicyID" > {policy} AND "ValidityTo" IS NULL""",
)

_MONEY = (
    """INSERT INTO "tblPremium" ("PremiumId", "PremiumUUID", "PolicyID", "Amount", "Receipt", "PayDate", "PayType",
                                 "isPhotoFee", "isOffline", "CreatedDate", "AuditUserID", "ValidityFrom")
       SELECT {premium} + row_number() OVER (ORDER BY "PolicyID"), gen_random_uuid(), "PolicyID", 21000,
              'R' || 1000000000 + "PolicyID", "StartDate", 'M', false, false, "StartDate", 1, {long_ago}
       FROM "tblPolicy" WHERE "PolicyID" > {policy} AND "ValidityTo" IS NULL AND "PolicyStatus" <> 1""",
    """INSERT INTO "tblPayment" ("PaymentID", "PaymentUUID", "ExpectedAmount", "ReceivedAmount", "PhoneNumber",
                                 "RequestDate", "ReceivedDate", "PaymentDate", "MatchedDate", "PaymentStatus",
                                 "ReceiptNo", "LanguageName", "TypeOfPayment", "ValidityFrom")
       SELECT {payment} + row_number() OVER (ORDER BY "PremiumId"), gen_random_uuid(), "Amount", "Amount",
              '255' || {first_phone} + "PremiumId" - {premium}, "PayDate", "PayDate", "PayDate", "PayDate", 5,
              "Receipt", 'sw', 'MobilePhone', {long_ago}
       FROM "tblPremium" WHERE "PremiumId" > {premium} AND ("PremiumId" - {premium}) % 2 = 0""",
    """INSERT INTO "tblPaymentDetails" ("PaymentDetailsID", "PaymentID", "ProductCode", "InsuranceNumber",
                                        "PolicyStage", "Amount", "ExpectedAmount", "PremiumID", "ValidityFrom")
       SELECT {detail} + "PaymentID" - {payment}, "PaymentID", 'BCH1', "PaymentID"::text, 'N', "ReceivedAmount",
              "ExpectedAmount", {premium} + ("PaymentID" - {payment}) * 2, {long_ago}
       FROM "tblPayment" WHERE "PaymentID" > {payment}""",
    """INSERT INTO "tblPolicyRenewals" ("RenewalID", "RenewalUUID", "RenewalPromptDate", "RenewalDate", "NewOfficerID",
                                        "SMSStatus", "InsureeID", "PolicyID", "NewProdID", "ResponseStatus",
                                        "ValidityFrom", "ValidityTo")
       SELECT {renewal} + row_number() OVER (ORDER BY "PolicyID"), gen_random_uuid(), "ExpiryDate" - 14,
              "ExpiryDate" + 1, "OfficerID", 0, {insuree} + ("FamilyID" - {family} - 1) * {members} + 1, "PolicyID",
              "ProdID", 0, {long_ago}, CASE WHEN "PolicyID" % 4 = 0 THEN {long_ago} END
       FROM "tblPolicy"
       WHERE "PolicyID" > {policy} AND "ValidityTo" IS NULL AND "PolicyStatus" = 2 AND "ExpiryDate" < {today}""",
)

_KEYS = {
    "location": ("tblLocations", "LocationId"),
    "officer": ("tblOfficer", "OfficerID"),
    "product": ("tblProduct", "ProdID"),
    "family": ("tblFamilies", "FamilyID"),
    "insuree": ("tblInsuree", "InsureeID"),
    "policy": ("tblPolicy", "PolicyID"),
    "coverage": ("tblInsureePolicy", "InsureePolicyID"),
    "premium": ("tblPremium", "PremiumId"),
    "payment": ("tblPayment", "PaymentID"),
    "detail": ("tblPaymentDetails", "PaymentDetailsID"),
    "renewal": ("tblPolicyRenewals", "RenewalID"),
}


async def load(url: str, today: date, families: int = FAMILIES) -> Loaded:
    """Add the families with their members, policies, coverage, premiums, payments and prompts; the statistics too."""
    assert families % 10 == 0, "every tenth family has something that the others have not"
    connection = await asyncpg.connect(url)
    try:
        before = {
            name: await connection.fetchval(f'SELECT coalesce(max("{key}"), 0) FROM "{table}"')
            for name, (table, key) in _KEYS.items()
        }
        values = {
            **before,
            "families": families,
            "members": MEMBERS,
            "first_chfid": _FIRST_CHFID,
            "first_phone": _FIRST_PHONE,
            "today": f"date '{today.isoformat()}'",
            "long_ago": "timestamptz '2020-01-01 00:00:00+00'",
        }
        await asyncio.gather(_run(url, (*_PLACES, *_PEOPLE), values), _run(url, (*_POLICIES, *_MONEY), values))
        for table, key in _KEYS.values():  # the next row is whoever's
            await connection.execute(
                f'SELECT setval(pg_get_serial_sequence(\'"{table}"\', \'{key}\'), max("{key}")) FROM "{table}"'
            )
            await connection.execute(f'VACUUM (ANALYZE) "{table}"')
    finally:
        await connection.close()
    return Loaded(families, before["family"], before["insuree"], before["policy"])


async def _run(url: str, statements: Sequence[str], values: dict[str, object]) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET session_replication_role = replica; SET synchronous_commit = off")
        for statement in statements:
            await connection.execute(statement.format_map(values))
    finally:
        await connection.close()
