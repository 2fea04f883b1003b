"""openIMIS' tables as different installations have them, told as what differs from our declaration.

L: a database made by the legacy dump and migrated. M: one made from the models alone. Types and missing columns as such
databases reported them.
"""

from __future__ import annotations

LEGACY = (
    'ALTER TABLE "tblPayment" ALTER "PaymentUUID" TYPE uuid USING "PaymentUUID"::uuid',
    'ALTER TABLE "tblPayment" DROP COLUMN "SmsRequired"',
    'ALTER TABLE "tblPayment" ADD "SmsRequired" bit(1)',
    'ALTER TABLE "tblPayment" ADD "RowID" timestamptz',
    'ALTER TABLE "tblPayment" ADD "ReconciliationDate" timestamp',
    'ALTER TABLE "tblPayment" ALTER "ValidityFrom" DROP NOT NULL',
    'ALTER TABLE "tblPayment" ALTER "LegacyID" TYPE bigint',
    'ALTER TABLE "tblPaymentDetails" ADD "RowID" timestamptz',
    'ALTER TABLE "tblPolicyRenewals" ALTER "RenewalUUID" TYPE uuid USING "RenewalUUID"::uuid',
    'ALTER TABLE "tblPolicy" ALTER "ContributionPlanID" TYPE uuid USING "ContributionPlanID"::uuid',
    'ALTER TABLE "tblPolicy" ADD "RowID" bytea, ADD "Source" varchar(50), ADD "SourceVersion" varchar(15)',
    'ALTER TABLE "tblPremium" ALTER "CreatedDate" TYPE date',
    'ALTER TABLE "tblPremium" ALTER "CreatedDate" SET DEFAULT CURRENT_DATE',
    'ALTER TABLE "tblInsureePolicy" ADD "RowID" bytea',
    'ALTER TABLE "tblInsuree" ADD "RowID" bytea, ADD "Vulnerability" boolean, ADD "JsonExt" jsonb',
    'ALTER TABLE "tblFamilies" ADD "RowID" text, ADD "Poverty" boolean',
    'ALTER TABLE "tblControlNumber" ALTER "ControlNumberID" DROP DEFAULT',
    'ALTER TABLE "tblReporting" DROP COLUMN "CammissionRate"',
    'DROP INDEX "ix_tblInsuree_CHFID"',  # the dump brings none
)

MODELS_ONLY = (
    'DROP TABLE "tblControlNumber"',
    'DROP TABLE "tblIMISDefaults"',
    'DROP TABLE "tblReporting"',
    'ALTER TABLE "tblPayment" DROP COLUMN "SmsRequired", DROP COLUMN "PayerPhoneNumber", DROP COLUMN "AuditedUSerID"',
    *(
        f'ALTER TABLE "tblPayment" ALTER "{column}" TYPE date'
        for column in ("RequestDate", "ReceivedDate", "MatchedDate", "PaymentDate")
    ),
    'ALTER TABLE "tblPolicy" ALTER "ContributionPlanID" TYPE uuid USING "ContributionPlanID"::uuid',
)

SHAPES = {"legacy": LEGACY, "models": MODELS_ONLY}
