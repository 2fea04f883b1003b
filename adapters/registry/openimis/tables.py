"""openIMIS' tables as far as we read or write them, under their real, mixed-case names.

This is the declaration, and the shape of the embedded default. An installation's own shape is fitted to it from what
its database reports (mapping.py); a table or column marked ``OPTIONAL`` stands in some installations only. Foreign keys
are openIMIS' own and are left to it (they are deferred there: a wrong id would fail at COMMIT only). The indexes serve
the embedded default; openIMIS brings its own.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, Integer, MetaData, SmallInteger, String, Table, Text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.schema import SchemaItem

from adapters.registry.openimis.types import BigSerialId, ExactNumeric, RowUuid, SerialId, UtcMoment

metadata = MetaData()
OPTIONAL = {"optional": True}  # written where it is there, and not missed elsewhere


def _validity() -> list[SchemaItem]:
    """openIMIS' history columns: the live row has no ValidityTo, a history row names the live one in LegacyID."""
    return [
        Column("ValidityFrom", UtcMoment, nullable=False, index=True),
        Column("ValidityTo", UtcMoment),
        Column("LegacyID", Integer),
    ]


locations = Table(
    "tblLocations",
    metadata,
    Column("LocationId", SerialId, primary_key=True),
    Column("LocationUUID", RowUuid(), nullable=False, unique=True),
    Column("LocationCode", String(50)),
    Column("LocationName", String(50)),
    Column("LocationType", String(1), nullable=False),  # R region, D district, W ward, V village
    Column("ParentLocationId", Integer),
    Column("AuditUserId", Integer),
    *_validity(),
)

officers = Table(
    "tblOfficer",
    metadata,
    Column("OfficerID", SerialId, primary_key=True),
    Column("OfficerUUID", RowUuid(), nullable=False, unique=True),
    Column("Code", String(8), nullable=False),
    Column("LastName", String(100), nullable=False),
    Column("OtherNames", String(100), nullable=False),
    Column("Phone", String(50)),
    Column("LocationId", Integer),  # the district, in practice
    Column("WorksTo", UtcMoment, info=OPTIONAL),
    Column("AuditUserID", Integer, nullable=False),
    *_validity(),
)

officer_villages = Table(
    "tblOfficerVillages",
    metadata,
    Column("OfficerVillageId", SerialId, primary_key=True),
    Column("OfficerId", Integer, index=True),
    Column("LocationId", Integer, index=True),
    Column("AuditUserID", Integer, nullable=False),
    *_validity(),
    info=OPTIONAL,
)

families = Table(
    "tblFamilies",
    metadata,
    Column("FamilyID", SerialId, primary_key=True),
    Column("FamilyUUID", RowUuid(), nullable=False, unique=True),
    Column("InsureeID", Integer, nullable=False),  # the head
    Column("LocationId", Integer),  # the village
    Column("isOffline", Boolean),
    Column("AuditUserID", Integer, nullable=False),
    *_validity(),
)

insurees = Table(
    "tblInsuree",
    metadata,
    Column("InsureeID", SerialId, primary_key=True),
    Column("InsureeUUID", RowUuid(), nullable=False, unique=True),
    Column("FamilyID", Integer, index=True),
    Column("CHFID", String(50), index=True),
    Column("LastName", String(100), nullable=False),
    Column("OtherNames", String(100), nullable=False),
    Column("DOB", Date),
    Column("Gender", String(1)),
    Column("IsHead", Boolean, nullable=False),
    Column("Phone", String(50)),
    Column("Relationship", SmallInteger),
    Column("isOffline", Boolean),
    Column("AuditUserID", Integer, nullable=False),
    *_validity(),
)

products = Table(
    "tblProduct",
    metadata,
    Column("ProdID", SerialId, primary_key=True),
    Column("ProdUUID", RowUuid(), nullable=False, unique=True),
    Column("ProductCode", String(8), nullable=False),
    Column("ProductName", String(100), nullable=False),
    Column("LocationId", Integer),
    Column("InsurancePeriod", SmallInteger, nullable=False),  # months, like every period below
    Column("DateFrom", UtcMoment, nullable=False),
    Column("DateTo", UtcMoment, nullable=False),
    Column("ConversionProdID", Integer),
    Column("LumpSum", ExactNumeric, nullable=False),
    Column("MemberCount", SmallInteger, nullable=False),
    Column("PremiumAdult", ExactNumeric),
    Column("PremiumChild", ExactNumeric),
    Column("Threshold", Integer),
    Column("RegistrationLumpSum", ExactNumeric),
    Column("RegistrationFee", ExactNumeric),
    Column("GeneralAssemblyLumpSum", ExactNumeric),
    Column("GeneralAssemblyFee", ExactNumeric),
    Column("AccCodePremiums", String(25)),  # the service provider's code at the payment gateway
    Column("AdministrationPeriod", Integer),
    Column("GracePeriod", Integer, nullable=False),
    Column("GracePeriodRenewal", Integer),
    Column("MaxInstallments", Integer),
    Column("StartCycle1", String(5)),  # dd-MM
    Column("StartCycle2", String(5)),
    Column("StartCycle3", String(5)),
    Column("StartCycle4", String(5)),
    Column("EnrolmentDiscountPerc", Integer),
    Column("EnrolmentDiscountPeriod", Integer),
    Column("RenewalDiscountPerc", Integer),
    Column("RenewalDiscountPeriod", Integer),
    Column("AuditUserID", Integer, nullable=False),
    *_validity(),
)

policies = Table(
    "tblPolicy",
    metadata,
    Column("PolicyID", SerialId, primary_key=True),
    Column("PolicyUUID", RowUuid(), nullable=False, unique=True),
    Column("FamilyID", Integer, nullable=False, index=True),
    Column("ProdID", Integer, nullable=False),
    Column("OfficerID", Integer, index=True),
    Column("PolicyStage", String(1)),
    Column("PolicyStatus", SmallInteger),
    Column("PolicyValue", ExactNumeric),
    Column("EnrollDate", Date, nullable=False),
    Column("StartDate", Date, nullable=False),
    Column("EffectiveDate", Date),
    Column("ExpiryDate", Date),
    Column("isOffline", Boolean),
    Column("ContributionPlanID", RowUuid(), info=OPTIONAL),
    Column("creationDate", Date, info=OPTIONAL),
    Column("AuditUserID", Integer, nullable=False),
    *_validity(),
)

insuree_policies = Table(
    "tblInsureePolicy",
    metadata,
    Column("InsureePolicyID", SerialId, primary_key=True),
    Column("InsureeID", Integer, nullable=False, index=True),
    Column("PolicyId", Integer, nullable=False, index=True),
    Column("EnrollmentDate", Date),
    Column("StartDate", Date),
    Column("EffectiveDate", Date),
    Column("ExpiryDate", Date),
    Column("isOffline", Boolean),
    Column("AuditUserID", Integer, nullable=False),
    *_validity(),
)

premiums = Table(
    "tblPremium",
    metadata,
    Column("PremiumId", SerialId, primary_key=True),
    Column("PremiumUUID", RowUuid(), nullable=False, unique=True),
    Column("PolicyID", Integer, nullable=False, index=True),
    Column("PayerID", Integer),
    Column("Amount", ExactNumeric, nullable=False),
    Column("Receipt", String(50), nullable=False, index=True),
    Column("PayDate", Date, nullable=False),
    Column("PayType", String(1), nullable=False),
    Column("isPhotoFee", Boolean),
    Column("isOffline", Boolean),
    Column("CreatedDate", UtcMoment, nullable=False),
    Column("ReportingCommissionID", Integer, info=OPTIONAL),  # the commission report that counted it
    Column("AuditUserID", Integer, nullable=False),
    *_validity(),
)

renewals = Table(
    "tblPolicyRenewals",
    metadata,
    Column("RenewalID", SerialId, primary_key=True),
    Column("RenewalUUID", RowUuid(), nullable=False, unique=True),
    Column("RenewalPromptDate", Date, nullable=False),
    Column("RenewalDate", Date, nullable=False),
    Column("NewOfficerID", Integer),
    Column("PhoneNumber", String(25)),
    Column("SMSStatus", SmallInteger, nullable=False),
    Column("InsureeID", Integer, nullable=False),
    Column("PolicyID", Integer, nullable=False, index=True),  # the policy that runs out
    Column("NewProdID", Integer, nullable=False),
    Column("RenewalWarnings", SmallInteger),
    Column("ResponseStatus", Integer),  # NULL or 0 open, 1 renewed, 2 declined
    Column("ResponseDate", UtcMoment),
    Column("AuditCreateUser", Integer),
    *_validity(),
)

payments = Table(
    "tblPayment",
    metadata,
    Column("PaymentID", BigSerialId, primary_key=True),
    Column("PaymentUUID", RowUuid(), nullable=False, unique=True),
    Column("ExpectedAmount", ExactNumeric),
    Column("ReceivedAmount", ExactNumeric),
    Column("OfficerCode", String(50)),
    Column("PhoneNumber", String(12)),  # no room for a plus
    Column("RequestDate", UtcMoment),
    Column("ReceivedDate", UtcMoment),
    Column("PaymentStatus", Integer),
    Column("TransactionNo", String(50)),
    Column("PaymentOrigin", String(50)),
    Column("MatchedDate", UtcMoment),
    Column("ReceiptNo", String(100)),
    Column("PaymentDate", UtcMoment),
    Column("RejectedReason", String(255)),
    Column("LanguageName", String(10)),
    Column("TypeOfPayment", String(50)),
    Column("PayerPhoneNumber", String(50), info=OPTIONAL),
    Column("SmsRequired", Boolean, info=OPTIONAL),
    Column("AuditedUSerID", Integer, info=OPTIONAL),
    *_validity(),
)

payment_details = Table(
    "tblPaymentDetails",
    metadata,
    Column("PaymentDetailsID", BigSerialId, primary_key=True),
    Column("PaymentID", BigSerialId, nullable=False, index=True),
    Column("ProductCode", String(8)),
    Column("InsuranceNumber", String(50)),
    Column("PolicyStage", String(1)),
    Column("Amount", ExactNumeric),
    Column("ExpectedAmount", ExactNumeric),
    Column("PremiumID", Integer),
    Column("enrollmentDate", Date),
    Column("AuditedUserId", Integer),
    *_validity(),
)

control_numbers = Table(
    "tblControlNumber",
    metadata,
    Column("ControlNumberID", BigSerialId, primary_key=True),
    Column("PaymentID", BigInteger, index=True),
    Column("ControlNumber", String(50), index=True),
    Column("RequestedDate", UtcMoment),
    Column("ReceivedDate", UtcMoment),
    Column("RequestOrigin", String(50)),
    Column("ResponseOrigin", String(50)),
    Column("Status", Integer),  # 0 is the only one that openIMIS' procedures ever write
    Column("Comment", Text),
    Column("AuditedUserID", Integer),
    *_validity(),
    info=OPTIONAL,
)

# Reports of commissions: of what else they say nothing is read, so nothing of it is demanded. The rate is a share: 0.10
# for ten per cent.
reports = Table(
    "tblReporting",
    metadata,
    Column("ReportingId", SerialId, primary_key=True),
    Column("CammissionRate", ExactNumeric, info=OPTIONAL),  # openIMIS' spelling
    Column("CommissionRate", ExactNumeric, info=OPTIONAL),
    info=OPTIONAL,
)

defaults = Table(
    "tblIMISDefaults",
    metadata,
    Column("DefaultID", SerialId, primary_key=True),
    Column("ActivationOption", SmallInteger, nullable=False),
    info=OPTIONAL,
)


def fitting(column: Column[str], text: str | None) -> str | None:
    """Evidence cut to the width of its column: a long bank name must not stop a payment."""
    width = getattr(column.type, "length", None)
    return text[:width] if text is not None else None


async def create_registry(connection: AsyncConnection) -> None:
    """Create openIMIS' tables where absent: the embedded default and the demo only, never a ministry's database."""
    await connection.run_sync(metadata.create_all)
