"""What the registry says to MS SQL Server: word for word, in golden/mssql.sql. No server is asked.

The statements are fitted to an installation as SQL Server reports it: identities, row versions, bits, its own UUIDs and
times, its own spelling of some names. Every public method runs on a real SQLite through a connection that claims to be
SQL Server's: the mssql dialect gives the text, and the same construct, executed beneath, shows that it does what the
method promises. Locks, plans, the ODBC driver and SQL Server's own opinion of the text are NOT shown by this.

After a change that is meant, record anew and read the difference:

    GOLDEN_RECORD=1 python -m pytest tests/adapters/registry/test_registry_mssql.py
"""

from __future__ import annotations

import inspect
import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Select
from sqlalchemy.dialects.mssql import aioodbc, base
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import visitors

from adapters.registry.openimis import Installation, OpenImisRegistry, Survey, advice, faults, fitted, survey
from adapters.registry.openimis import tables as t
from gateway.domain.money import Money
from gateway.domain.periods import Period
from gateway.domain.policy import NewPolicy, NewPremium, PolicyStatus
from gateway.domain.settlement import Activation
from gateway.ports import LegacyStatus, PaymentHeld, PaymentReceived, PaymentRecord, Placed, Traced

GOLDEN = Path(__file__).parent / "golden" / "mssql.sql"
RECORD = bool(os.environ.get("GOLDEN_RECORD"))
TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 8, 15, 30, 123456, tzinfo=UTC)
only_sqlite = pytest.mark.parametrize("registry_url", ["sqlite"], indirect=True)


def _like_a_server(dialect: Any) -> Any:
    """As the dialect is once it has met a SQL Server 2019: an unconnected one writes for 2005."""
    dialect.server_version_info = (15, 0, 2000, 5)
    dialect._setup_version_attributes()
    return dialect


MSSQL = _like_a_server(aioodbc.dialect(paramstyle="named"))

# The legacy database's columns as far as we read or write them, and what else stands in the tables that we insert into.
# "!" must be filled, "=" has a default, "+" is an identity.
_LEGACY = {
    "tblLocations": "LocationId int+ LocationUUID uniqueidentifier= LocationCode nvarchar(8) LocationName nvarchar(50) "
    "ParentLocationId int LocationType nchar(1)! ValidityFrom datetime= ValidityTo datetime LegacyId int "
    "AuditUserId int RowId timestamp!",
    "tblOfficer": "OfficerID int+ OfficerUUID uniqueidentifier= Code nvarchar(8)! LastName nvarchar(100)! "
    "OtherNames nvarchar(100)! DOB date Phone nvarchar(50) LocationId int OfficerIDSubst int WorksTo smalldatetime "
    "ValidityFrom datetime= ValidityTo datetime LegacyID int AuditUserID int! RowID timestamp",
    "tblOfficerVillages": "OfficerVillageId int+ OfficerId int LocationId int ValidityFrom datetime= "
    "ValidityTo datetime LegacyId int AuditUserId int RowId timestamp",
    "tblFamilies": "FamilyID int+ FamilyUUID uniqueidentifier= InsureeID int= LocationId int Poverty bit= "
    "ValidityFrom datetime= ValidityTo datetime LegacyID int AuditUserID int! RowID timestamp isOffline bit= "
    "Source nvarchar(50) SourceVersion nvarchar(15)",
    "tblInsuree": "InsureeID int+ InsureeUUID uniqueidentifier= FamilyID int CHFID nvarchar(50) "
    "LastName nvarchar(100)! OtherNames nvarchar(100)! DOB date! Gender char(1) IsHead bit= Phone nvarchar(50) "
    "CardIssued bit= ValidityFrom datetime= ValidityTo datetime LegacyID int AuditUserID int! RowID timestamp "
    "Relationship smallint isOffline bit= Vulnerability bit=",
    "tblProduct": "ProdID int+ ProdUUID uniqueidentifier= ProductCode nvarchar(8)! ProductName nvarchar(100)! "
    "LocationId int InsurancePeriod tinyint= DateFrom smalldatetime! DateTo smalldatetime! ConversionProdID int "
    "LumpSum decimal(18,2)! MemberCount int! PremiumAdult decimal(18,2) PremiumChild decimal(18,2) Threshold int "
    "RegistrationLumpSum decimal(18,2) RegistrationFee decimal(18,2) GeneralAssemblyLumpSum decimal(18,2) "
    "GeneralAssemblyFee decimal(18,2) AccCodePremiums nvarchar(25) AdministrationPeriod int GracePeriod int= "
    "GracePeriodRenewal int MaxInstallments int StartCycle1 nvarchar(5) StartCycle2 nvarchar(5) "
    "StartCycle3 nvarchar(5) StartCycle4 nvarchar(5) EnrolmentDiscountPerc int EnrolmentDiscountPeriod int "
    "RenewalDiscountPerc int= RenewalDiscountPeriod int= ValidityFrom datetime= ValidityTo datetime LegacyID int "
    "AuditUserID int! RowID timestamp",
    "tblPolicy": "PolicyID int+ PolicyUUID uniqueidentifier= FamilyID int! EnrollDate date! StartDate date! "
    "EffectiveDate date ExpiryDate date PolicyStatus tinyint= PolicyValue decimal(18,2) ProdID int! OfficerID int "
    "PolicyStage char(1)= ValidityFrom datetime= ValidityTo datetime LegacyID int AuditUserID int! RowID timestamp! "
    "isOffline bit= RenewalOrder int SelfRenewed bit= Source nvarchar(50) SourceVersion nvarchar(15)",
    "tblInsureePolicy": "InsureePolicyId int+ InsureeId int! PolicyId int! EnrollmentDate date StartDate date "
    "EffectiveDate date ExpiryDate date ValidityFrom datetime= ValidityTo datetime LegacyId int AuditUserId int "
    "isOffline bit= RowId timestamp!",
    "tblPremium": "PremiumId int+ PremiumUUID uniqueidentifier= PolicyID int! PayerID int Amount decimal(18,2)! "
    "Receipt nvarchar(50)! PayDate date! PayType char(1)! ValidityFrom datetime= ValidityTo datetime LegacyID int "
    "AuditUserID int! RowID timestamp! isPhotoFee bit= isOffline bit= ReportingId int CreatedDate datetime= "
    "ReportingCommissionID int Source nvarchar(50) SourceVersion nvarchar(15)",
    "tblPolicyRenewals": "RenewalID int+ RenewalUUID uniqueidentifier= RenewalPromptDate date! RenewalDate date! "
    "NewOfficerID int PhoneNumber nvarchar(50) SMSStatus tinyint= InsureeID int! PolicyID int! NewProdID int! "
    "RenewalWarnings tinyint= ValidityFrom datetime! ValidityTo datetime LegacyID int AuditCreateUser int "
    "ResponseStatus int ResponseDate datetime",
    "tblPayment": "PaymentID bigint+ PaymentUUID uniqueidentifier= ExpectedAmount decimal(18,2) "
    "ReceivedAmount decimal(18,2) OfficerCode nvarchar(50) PhoneNumber nvarchar(50) PayerPhoneNumber nvarchar(50) "
    "RequestDate datetime ReceivedDate datetime PaymentStatus int LegacyID bigint ValidityFrom datetime "
    "ValidityTo datetime RowID timestamp! AuditedUSerID int TransactionNo nvarchar(50) PaymentOrigin nvarchar(50) "
    "MatchedDate datetime ReceiptNo nvarchar(100) PaymentDate datetime RejectedReason nvarchar(255) "
    "LanguageName nvarchar(10) TypeOfPayment nvarchar(50) TransferFee decimal(18,2) SmsRequired bit",
    "tblPaymentDetails": "PaymentDetailsID bigint+ PaymentID bigint! ProductCode nvarchar(8) "
    "InsuranceNumber nvarchar(12) PolicyStage nvarchar(1) Amount decimal(18,2) LegacyID bigint ValidityFrom datetime "
    "ValidityTo datetime RowID timestamp PremiumID int AuditedUserId int enrollmentDate date "
    "ExpectedAmount decimal(18,2)",
    "tblControlNumber": "ControlNumberID bigint+ RequestedDate datetime ReceivedDate datetime "
    "RequestOrigin nvarchar(50) ResponseOrigin nvarchar(50) Status int LegacyID bigint ValidityFrom datetime "
    "ValidityTo datetime AuditedUserID int PaymentID bigint ControlNumber nvarchar(50) IssuedDate datetime "
    "Comment nvarchar",
    "tblReporting": "ReportingId int+ ReportingDate datetime! LocationId int! ProdId int! PayerId int StartDate date! "
    "EndDate date! RecordFound int! OfficerID int ReportType int CammissionRate decimal(18,2) "
    "CommissionRate decimal(18,2) ReportMode int= Scope int",
    "tblIMISDefaults": "DefaultID int+ PolicyRenewalInterval int= ActivationOption tinyint= APIKey nvarchar(100)",
}
_COLUMN = re.compile(r"(?P<name>\w+) (?P<type>\w+)(?:\((?P<size>[\d,]+)\))?(?P<mark>[!=+]?)(?: |$)")


class Reported:
    """An inspector that has seen a legacy database on SQL Server; keys lead the only indexes."""

    dialect = MSSQL

    def get_table_names(self) -> list[str]:
        return list(_LEGACY)

    def get_columns(self, table: str) -> Iterator[dict[str, Any]]:
        for column in _COLUMN.finditer(_LEGACY[table]):
            kind = base.ischema_names[column["type"]]
            size = [int(part) for part in column["size"].split(",")] if column["size"] else []
            yield {
                "name": column["name"],
                "type": kind(*size),
                "nullable": column["mark"] not in ("!", "+"),
                "default": "(x)" if column["mark"] == "=" else None,
                "identity": {"start": 1, "increment": 1} if column["mark"] == "+" else None,
            }

    def get_pk_constraint(self, table: str) -> dict[str, Any]:
        return {"constrained_columns": [_LEGACY[table].split()[0]]}

    def get_indexes(self, _: str) -> list[Any]:
        return []

    get_unique_constraints = get_indexes


@pytest.fixture
def legacy(monkeypatch: pytest.MonkeyPatch) -> Survey:
    """What ``survey`` makes of it."""
    monkeypatch.setattr(sys.modules[survey.__module__], "inspect", lambda _: Reported())
    return survey(SimpleNamespace(dialect=MSSQL))  # type: ignore[arg-type]


def _tidy(text: str) -> str:
    return "\n".join(line.rstrip().replace("\t", "    ") for line in text.strip().splitlines())


class Recorder:
    """A connection that says it is SQL Server's: keeps each statement's text, and runs it on the one beneath."""

    dialect = MSSQL

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self.method = ""
        self.texts: dict[str, list[str]] = defaultdict(list)
        self.locking: list[tuple[str, str]] = []  # what was to be locked: method, text

    async def execute(self, statement: Any, parameters: Any = None) -> Any:
        rows = parameters if isinstance(parameters, list) else [parameters or {}]
        given = statement.params(rows[0]) if isinstance(statement, Select) else statement
        compiled = given.compile(
            dialect=self.dialect,
            column_keys=None if isinstance(statement, Select) else list(rows[0]),
            for_executemany=len(rows) > 1,
            compile_kwargs={"render_postcompile": True},
        )
        text = _tidy(str(compiled))
        if text not in self.texts[self.method]:
            self.texts[self.method].append(text)
        for part in visitors.iterate(statement):
            if isinstance(part, Select) and part._for_update_arg is not None:
                self.locking.append((self.method, text))
        return await self._connection.execute(statement, parameters)


class Watched:
    """The registry; its public methods tell the recorder their names."""

    def __init__(self, registry: OpenImisRegistry, recorder: Recorder) -> None:
        self._registry, self._recorder = registry, recorder

    def __getattr__(self, name: str) -> Any:
        self._recorder.method = name
        return getattr(self._registry, name)


def _methods() -> list[str]:
    """Every public method of the registry, in the order of its parts and of lines."""
    return [
        name
        for cls in OpenImisRegistry.__mro__
        for name, member in vars(cls).items()
        if inspect.iscoroutinefunction(member) and not name.startswith("_")
    ]


@pytest.fixture
async def said(world: Any, legacy: Survey) -> Recorder:
    """What SQL Server would have been told while a family enrols, pays, renews and is asked about."""
    recorder = Recorder(world.connection)
    installation = Installation.over(fitted(legacy))
    registry: Any = Watched(OpenImisRegistry(recorder, installation), recorder)  # type: ignore[arg-type]
    village = await world.put(t.locations, LocationType="V")
    district = await world.put(t.locations, LocationType="D")
    officer = await world.put(t.officers, Code="E1", LastName="Mollel", OtherNames="Juma", LocationId=district)
    product = await world.product()
    await world.put(t.defaults, ActivationOption=2)
    family, members = await world.family("0712000001", "0712000002", village=village)
    headless, [head] = await world.family("0712000003")
    await world.connection.execute(t.families.update().where(t.families.c.FamilyID == headless).values(InsureeID=0))

    assert await registry.lock_family(family)
    assert await registry.lock_families([headless, 10**6, family]) == {family, headless}
    assert await registry.activation_option() == 2
    assert [sold.id for sold in await registry.products()] == [product]
    assert await registry.officer_near([village, district], NOW) == officer
    assert not await registry.receipt_is_used(product, "R-1")
    assert not await registry.receipts_used([(product, "R-1"), (product, "R-2")])
    record = PaymentRecord(Money.parse("30000"), "+255712000001", "sw", "CHFDOM", "000000001", "N", NOW)
    payment = await registry.open_payment(record, NOW)
    await registry.payment_status(payment, LegacyStatus.REQUESTED, NOW)
    await registry.number_given(payment, "994180000017", NOW)
    await registry.numbers_given([(payment, "994180000018"), (10**6, "994180000019")], NOW)  # it has one already
    end = TODAY + timedelta(days=364)
    new = NewPolicy(family, product, "N", TODAY, TODAY, end, Money.parse("30000"), officer, tuple(members))
    policy = await registry.add_policy(new, NOW)
    premium = await registry.add_premium(policy, NewPremium(Money.parse("30000"), "R-1", TODAY), NOW)
    assert await registry.receipt_is_used(product, "R-1")
    assert await registry.receipts_used([(product, "R-1"), (product, "R-2"), (10**6, "R-1")]) == {(product, "R-1")}
    await registry.activate(policy, Activation(PolicyStatus.ACTIVE, TODAY))
    await registry.activate_all([(policy, Activation(PolicyStatus.ACTIVE, TODAY))])
    received = PaymentReceived(Money.parse("30000"), "R-1", "T-1", "CRDB", NOW, "+255655000009", premium, matched=False)
    await registry.payments_received([(payment, received), (10**6, received)], NOW)
    await registry.payment_matched(payment, NOW)
    assert (await world.rows(t.payments))[payment]["PaymentStatus"] == LegacyStatus.MATCHED
    await registry.payment_received(payment, PaymentReceived(**{**_fields(received), "matched": True}), NOW)
    assert (await world.rows(t.payments))[payment]["ReceivedAmount"] == Decimal(60000)
    pooled = await registry.open_payment(replace(record, chfid=None, msisdn=None, language=""), NOW)
    await registry.hand_out_payment(pooled, record)
    assert (await world.rows(t.payments))[pooled]["PhoneNumber"] == "255712000001"
    refused = await registry.open_payment(record, NOW)
    await registry.payment_status(refused, LegacyStatus.REQUEST_REFUSED, NOW, "no such payer")
    await registry.payment_cancelled(refused, NOW)
    held = {**_fields(received), "status": LegacyStatus.REJECTED, "reason": "nobody's bill"}
    unplaced = {name: held.get(name) for name in PaymentHeld.__dataclass_fields__}  # of no bill: the rest is None
    waiting = await registry.hold_payment(PaymentHeld(**unplaced), NOW)
    await registry.payment_status(waiting, LegacyStatus.REJECTED, NOW, "paid back", decided=True)
    placed = {**_fields(received), "matched": True, "placed": Placed("000000001", "CHFDOM", "N")}
    await registry.payment_received(waiting, PaymentReceived(**placed), NOW)
    await world.put(
        t.renewals,
        RenewalPromptDate=TODAY,
        RenewalDate=TODAY,
        SMSStatus=0,
        InsureeID=members[0],
        PolicyID=policy,
        NewProdID=product,
    )
    await registry.close_renewal_prompts(policy, NOW)
    await registry.close_prompts_of([policy, 10**6], NOW)
    await registry.keep_history(policy, NOW)
    await registry.move_policy(policy, Period(TODAY + timedelta(days=1), end))

    assert [cover.head_name for cover in await registry.insuree_covers([members[0], head])] == [
        "Asha 1 Mushi",
        "Asha 3 Mushi",
    ]
    assert (await registry.family(family)).location_ids == (village,)
    assert [found.id for found in (await registry.families([family, 10**6, headless])).values()] == [family, headless]
    assert (await registry.family_of("000000001")).id == family
    for found in (
        await registry.policies(family),
        await registry.policies_of([family, headless]),
        await registry.policies_by_id([policy, 10**6]),
    ):
        assert [(held.id, held.paid) for held in found] == [(policy, Money.parse("30000"))]
    held_rows = await registry.coverages(family)
    assert [(held.policy_id, held.insuree_id) for held in held_rows] == [(policy, member) for member in members]
    assert [receipt.number for receipt in await registry.receipts(family, 3)] == ["R-1"]
    assert [row.insuree_id for row in await registry.phones(0, 2)] == members
    assert [change.row.insuree_id for change in await registry.phones_changed(members[0], 1)] == [members[1]]
    assert await registry.newest_insuree() == head
    assert [trace.policy_id for trace in await registry.traces(Traced.POLICIES, 0, 9)] == [policy] * 3
    assert [trace.policy_id for trace in await registry.traces(Traced.PREMIUMS, 0, 9)] == [policy]
    assert [await registry.newest(of) for of in Traced] == [policy + 2, premium]
    assert (await registry.last_premium(policy)).paid_on == TODAY
    assert await registry.expiring(TODAY, end, 0, 9) == [policy]
    assert [bill.payment_id for bill in await registry.legacy_bills("994180000017")] == [payment]
    assert await registry.open_legacy_bills(0, 9) == []
    more = await registry.add_policies([new, replace(new, family_id=headless, insuree_ids=())], NOW)
    money = NewPremium(Money.parse("30000"), "R-3", TODAY)
    premiums = await registry.add_premiums([(policy_id, money) for policy_id in reversed(more)], NOW)
    rows = await world.rows(t.premiums)
    assert [rows[premium]["PolicyID"] for premium in premiums] == [*reversed(more)]
    await world.connection.execute(t.officers.update().values(Phone="0712000901"))
    assert [row.officer_id for row in await registry.officer_phones(0, 9)] == [officer]
    assert await registry.newest_officer() == officer
    assert [known.code for known in (await registry.officers([officer, 10**6])).values()] == ["E1"]
    assert not await registry.has_village(officer, [village, district])
    assert {paid.amount for paid in await registry.collected(officer, TODAY, TODAY)} == {Money.parse("30000")}
    return recorder


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


@only_sqlite
async def test_every_method_is_exercised(said: Recorder) -> None:
    assert set(said.texts) == set(_methods())


def test_the_installation_can_be_worked_with(legacy: Survey) -> None:
    """Caseless names, row versions that must be filled and never are, identities: nothing is missed."""
    assert faults(legacy) == []
    assert "InsureePolicyID" in legacy.tables["tblInsureePolicy"].columns
    assert "CREATE INDEX [gw_tblInsuree_CHFID] ON [tblInsuree] ([CHFID]) WITH (ONLINE = ON);" in "".join(advice(legacy))


NOT_SPOKEN_THERE = re.compile(
    r"\bLIMIT\b|ON CONFLICT|\bRETURNING\b|FOR UPDATE|SKIP LOCKED|\b(true|false)\b|\bILIKE\b|\|\||::|\bNULLS "
    r"|\bIS (NOT )?[01]\b|ANY \(",
    re.IGNORECASE,
)


@only_sqlite
async def test_nothing_that_only_others_understand(said: Recorder) -> None:
    everything = [text for texts in said.texts.values() for text in texts]
    assert [text for text in everything if NOT_SPOKEN_THERE.search(text)] == []
    assert [text for text in everything if re.search(r"\browid\b", text, re.IGNORECASE)] == []


@only_sqlite
async def test_a_page_has_an_order(said: Recorder) -> None:
    """OFFSET and FETCH are part of ORDER BY there."""
    paged = [text for texts in said.texts.values() for text in texts if "FETCH" in text]
    assert len(paged) == 9
    assert all(re.search(r"ORDER BY [^\n]+\n OFFSET 0 ROWS\n FETCH FIRST :page ROWS ONLY$", text) for text in paged)


@only_sqlite
async def test_new_keys_are_asked_back_of_one_row_at_a_time(said: Recorder) -> None:
    inserts = {text for texts in said.texts.values() for text in texts if text.startswith("INSERT")}
    asked = {text for text in inserts if "OUTPUT inserted.[" in text}
    assert {match for text in asked for match in re.findall(r"INTO \[(\w+)\]", text)} == {
        "tblControlNumber",
        "tblPayment",
        "tblPaymentDetails",
        "tblPolicy",
        "tblPremium",
    }
    for text in inserts - asked:
        assert "SELECT" in text or "[tblInsureePolicy]" in text, text


@only_sqlite
async def test_only_columns_that_the_installation_has(said: Recorder) -> None:
    """Compared without case, as that server does."""
    columns = {
        table.casefold(): {column["name"].casefold() for column in Reported().get_columns(table)} for table in _LEGACY
    }
    for texts in said.texts.values():
        for text in texts:
            names = {name.casefold() for name in re.findall(r"(?<!AS )\[(\w+)\]", text)}
            tables = names & columns.keys()
            known = {column for table in tables for column in columns[table]}
            assert tables
            assert names - tables <= known, text


@only_sqlite
async def test_what_is_held_elsewhere_is_held_there(said: Recorder) -> None:
    assert {method for method, _ in said.locking} == {
        "lock_families",
        "lock_family",
        "payment_received",
        "payments_received",
    }
    for _, text in said.locking:
        assert re.search(r"FROM \[tbl\w+\] WITH \(UPDLOCK, ROWLOCK\)", text)
    assert sum("UPDLOCK" in text for texts in said.texts.values() for text in texts) == 4


@only_sqlite
async def test_word_for_word(said: Recorder) -> None:
    spoken = "\n".join(
        f"-- {method}\n" + "".join(f"{text};\n" for text in said.texts[method])
        for method in _methods()
        if method in said.texts
    )
    if RECORD:
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(spoken)
    assert spoken == GOLDEN.read_text()
