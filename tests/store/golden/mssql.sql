-- SqlAudit.add
INSERT INTO gw_audit (at, actor, action, subject, details) OUTPUT inserted.id VALUES (:at, :actor, :action, :subject, :details);

-- SqlAudit.add_all
INSERT INTO gw_audit (at, actor, action, subject, details) OUTPUT inserted.id VALUES (:at, :actor, :action, :subject, :details);

-- SqlAudit.about
SELECT gw_audit.id, gw_audit.at, gw_audit.actor, gw_audit.action, gw_audit.subject, gw_audit.details
FROM gw_audit
WHERE gw_audit.subject IN (:subject_1_1, :subject_1_2) ORDER BY gw_audit.id;

-- SqlAudit.seal
SELECT TOP 1 gw_audit_seal.seq, gw_audit_seal.audit_id, gw_audit_seal.previous, gw_audit_seal.digest, gw_audit_seal.sealed_at
FROM gw_audit_seal WITH (TABLOCKX, HOLDLOCK) ORDER BY gw_audit_seal.seq DESC;
SELECT max(gw_audit_seal.audit_id) AS max_1
FROM gw_audit_seal;
SELECT TOP 2 gw_audit.id, gw_audit.at, gw_audit.actor, gw_audit.action, gw_audit.subject, gw_audit.details
FROM gw_audit
WHERE gw_audit.id > :id_1 AND NOT (EXISTS (SELECT gw_audit_seal.audit_id
FROM gw_audit_seal
WHERE gw_audit_seal.audit_id = gw_audit.id)) ORDER BY gw_audit.id;
INSERT INTO gw_audit_seal (seq, audit_id, previous, digest, sealed_at) VALUES (:seq, :audit_id, :previous, :digest, :sealed_at);

-- SqlAudit.verify
SELECT TOP 1000 gw_audit_seal.seq, gw_audit_seal.previous, gw_audit_seal.digest, gw_audit_seal.audit_id, gw_audit.id, gw_audit.at, gw_audit.actor, gw_audit.action, gw_audit.subject, gw_audit.details
FROM gw_audit_seal LEFT OUTER JOIN gw_audit ON gw_audit.id = gw_audit_seal.audit_id
WHERE gw_audit_seal.seq > :seq_1 ORDER BY gw_audit_seal.seq;

-- SqlBills.by_id
SELECT gw_bill.id, gw_bill.[key], gw_bill.generation, gw_bill.family_id, gw_bill.product_id, gw_bill.product_code, gw_bill.preceding_policy_id, gw_bill.stage, gw_bill.chfid, gw_bill.payer_name, gw_bill.amount_minor, gw_bill.policy_value_minor, gw_bill.paid_minor, gw_bill.currency, gw_bill.pay_option, gw_bill.provider_code, gw_bill.state, gw_bill.control_number, gw_bill.created_at, gw_bill.expires_at, gw_bill.asked_at, gw_bill.asked_times, gw_bill.payment_record_id, gw_bill.reuses, gw_bill.issuer
FROM gw_bill
WHERE gw_bill.id IN (:ids_1) ORDER BY gw_bill.id;
SELECT gw_bill.id, gw_bill.[key], gw_bill.generation, gw_bill.family_id, gw_bill.product_id, gw_bill.product_code, gw_bill.preceding_policy_id, gw_bill.stage, gw_bill.chfid, gw_bill.payer_name, gw_bill.amount_minor, gw_bill.policy_value_minor, gw_bill.paid_minor, gw_bill.currency, gw_bill.pay_option, gw_bill.provider_code, gw_bill.state, gw_bill.control_number, gw_bill.created_at, gw_bill.expires_at, gw_bill.asked_at, gw_bill.asked_times, gw_bill.payment_record_id, gw_bill.reuses, gw_bill.issuer
FROM gw_bill WITH (UPDLOCK, ROWLOCK)
WHERE gw_bill.id IN (:ids_1) ORDER BY gw_bill.id;

-- SqlBills.by_ids
SELECT gw_bill.id, gw_bill.[key], gw_bill.generation, gw_bill.family_id, gw_bill.product_id, gw_bill.product_code, gw_bill.preceding_policy_id, gw_bill.stage, gw_bill.chfid, gw_bill.payer_name, gw_bill.amount_minor, gw_bill.policy_value_minor, gw_bill.paid_minor, gw_bill.currency, gw_bill.pay_option, gw_bill.provider_code, gw_bill.state, gw_bill.control_number, gw_bill.created_at, gw_bill.expires_at, gw_bill.asked_at, gw_bill.asked_times, gw_bill.payment_record_id, gw_bill.reuses, gw_bill.issuer
FROM gw_bill
WHERE gw_bill.id IN (:ids_1, :ids_2) ORDER BY gw_bill.id;
SELECT gw_bill.id, gw_bill.[key], gw_bill.generation, gw_bill.family_id, gw_bill.product_id, gw_bill.product_code, gw_bill.preceding_policy_id, gw_bill.stage, gw_bill.chfid, gw_bill.payer_name, gw_bill.amount_minor, gw_bill.policy_value_minor, gw_bill.paid_minor, gw_bill.currency, gw_bill.pay_option, gw_bill.provider_code, gw_bill.state, gw_bill.control_number, gw_bill.created_at, gw_bill.expires_at, gw_bill.asked_at, gw_bill.asked_times, gw_bill.payment_record_id, gw_bill.reuses, gw_bill.issuer
FROM gw_bill WITH (UPDLOCK, ROWLOCK)
WHERE gw_bill.id IN (:ids_1, :ids_2) ORDER BY gw_bill.id;

-- SqlBills.by_control_number
SELECT gw_bill.id, gw_bill.[key], gw_bill.generation, gw_bill.family_id, gw_bill.product_id, gw_bill.product_code, gw_bill.preceding_policy_id, gw_bill.stage, gw_bill.chfid, gw_bill.payer_name, gw_bill.amount_minor, gw_bill.policy_value_minor, gw_bill.paid_minor, gw_bill.currency, gw_bill.pay_option, gw_bill.provider_code, gw_bill.state, gw_bill.control_number, gw_bill.created_at, gw_bill.expires_at, gw_bill.asked_at, gw_bill.asked_times, gw_bill.payment_record_id, gw_bill.reuses, gw_bill.issuer
FROM gw_bill
WHERE gw_bill.control_number IN (:numbers_1) ORDER BY gw_bill.control_number;
SELECT gw_bill.id, gw_bill.[key], gw_bill.generation, gw_bill.family_id, gw_bill.product_id, gw_bill.product_code, gw_bill.preceding_policy_id, gw_bill.stage, gw_bill.chfid, gw_bill.payer_name, gw_bill.amount_minor, gw_bill.policy_value_minor, gw_bill.paid_minor, gw_bill.currency, gw_bill.pay_option, gw_bill.provider_code, gw_bill.state, gw_bill.control_number, gw_bill.created_at, gw_bill.expires_at, gw_bill.asked_at, gw_bill.asked_times, gw_bill.payment_record_id, gw_bill.reuses, gw_bill.issuer
FROM gw_bill WITH (UPDLOCK, ROWLOCK)
WHERE gw_bill.control_number IN (:numbers_1) ORDER BY gw_bill.control_number;

-- SqlBills.by_control_numbers
SELECT gw_bill.id, gw_bill.[key], gw_bill.generation, gw_bill.family_id, gw_bill.product_id, gw_bill.product_code, gw_bill.preceding_policy_id, gw_bill.stage, gw_bill.chfid, gw_bill.payer_name, gw_bill.amount_minor, gw_bill.policy_value_minor, gw_bill.paid_minor, gw_bill.currency, gw_bill.pay_option, gw_bill.provider_code, gw_bill.state, gw_bill.control_number, gw_bill.created_at, gw_bill.expires_at, gw_bill.asked_at, gw_bill.asked_times, gw_bill.payment_record_id, gw_bill.reuses, gw_bill.issuer
FROM gw_bill
WHERE gw_bill.control_number IN (:numbers_1, :numbers_2, :numbers_3, :numbers_4) ORDER BY gw_bill.control_number;

-- SqlBills.latest
SELECT TOP 1 gw_bill.id, gw_bill.[key], gw_bill.generation, gw_bill.family_id, gw_bill.product_id, gw_bill.product_code, gw_bill.preceding_policy_id, gw_bill.stage, gw_bill.chfid, gw_bill.payer_name, gw_bill.amount_minor, gw_bill.policy_value_minor, gw_bill.paid_minor, gw_bill.currency, gw_bill.pay_option, gw_bill.provider_code, gw_bill.state, gw_bill.control_number, gw_bill.created_at, gw_bill.expires_at, gw_bill.asked_at, gw_bill.asked_times, gw_bill.payment_record_id, gw_bill.reuses, gw_bill.issuer
FROM gw_bill
WHERE gw_bill.[key] = :key_1 ORDER BY gw_bill.generation DESC;
SELECT TOP 1 gw_bill.id, gw_bill.[key], gw_bill.generation, gw_bill.family_id, gw_bill.product_id, gw_bill.product_code, gw_bill.preceding_policy_id, gw_bill.stage, gw_bill.chfid, gw_bill.payer_name, gw_bill.amount_minor, gw_bill.policy_value_minor, gw_bill.paid_minor, gw_bill.currency, gw_bill.pay_option, gw_bill.provider_code, gw_bill.state, gw_bill.control_number, gw_bill.created_at, gw_bill.expires_at, gw_bill.asked_at, gw_bill.asked_times, gw_bill.payment_record_id, gw_bill.reuses, gw_bill.issuer
FROM gw_bill WITH (UPDLOCK, ROWLOCK)
WHERE gw_bill.[key] = :key_1 ORDER BY gw_bill.generation DESC;

-- SqlBills.open_for
SELECT TOP 1 gw_bill.id, gw_bill.[key], gw_bill.generation, gw_bill.family_id, gw_bill.product_id, gw_bill.product_code, gw_bill.preceding_policy_id, gw_bill.stage, gw_bill.chfid, gw_bill.payer_name, gw_bill.amount_minor, gw_bill.policy_value_minor, gw_bill.paid_minor, gw_bill.currency, gw_bill.pay_option, gw_bill.provider_code, gw_bill.state, gw_bill.control_number, gw_bill.created_at, gw_bill.expires_at, gw_bill.asked_at, gw_bill.asked_times, gw_bill.payment_record_id, gw_bill.reuses, gw_bill.issuer
FROM gw_bill
WHERE gw_bill.family_id = :family_id_1 AND gw_bill.state IN (:state_1_1, :state_1_2, :state_1_3, :state_1_4) AND gw_bill.expires_at > :expires_at_1 ORDER BY gw_bill.created_at DESC;

-- SqlBills.payable
SELECT gw_bill.id, gw_bill.[key], gw_bill.generation, gw_bill.family_id, gw_bill.product_id, gw_bill.product_code, gw_bill.preceding_policy_id, gw_bill.stage, gw_bill.chfid, gw_bill.payer_name, gw_bill.amount_minor, gw_bill.policy_value_minor, gw_bill.paid_minor, gw_bill.currency, gw_bill.pay_option, gw_bill.provider_code, gw_bill.state, gw_bill.control_number, gw_bill.created_at, gw_bill.expires_at, gw_bill.asked_at, gw_bill.asked_times, gw_bill.payment_record_id, gw_bill.reuses, gw_bill.issuer
FROM gw_bill
WHERE gw_bill.family_id IN (:family_id_1_1, :family_id_1_2) AND gw_bill.state IN (:state_1_1, :state_1_2, :state_1_3, :state_1_4) AND gw_bill.expires_at > :expires_at_1;

-- SqlBills.part_paid_records
SELECT gw_bill.family_id, gw_bill.product_id, gw_bill.payment_record_id
FROM gw_bill
WHERE gw_bill.family_id IN (:families_1) AND gw_bill.payment_record_id IS NOT NULL AND gw_bill.paid_minor > :paid_minor_1 AND gw_bill.paid_minor < gw_bill.amount_minor;

-- SqlBills.part_paid_records_of
SELECT gw_bill.family_id, gw_bill.product_id, gw_bill.payment_record_id
FROM gw_bill
WHERE gw_bill.family_id IN (:families_1, :families_2, :families_3, :families_4) AND gw_bill.payment_record_id IS NOT NULL AND gw_bill.paid_minor > :paid_minor_1 AND gw_bill.paid_minor < gw_bill.amount_minor;

-- SqlBills.add
INSERT INTO gw_bill (id, [key], generation, family_id, product_id, product_code, preceding_policy_id, stage, chfid, payer_name, amount_minor, policy_value_minor, paid_minor, currency, pay_option, provider_code, state, control_number, created_at, expires_at, asked_at, asked_times, payment_record_id, reuses, issuer) SELECT :param_1 AS id, :param_2 AS [key], :param_3 AS generation, :param_4 AS family_id, :param_5 AS product_id, :param_6 AS product_code, :param_7 AS preceding_policy_id, :param_8 AS stage, :param_9 AS chfid, :param_10 AS payer_name, :param_11 AS amount_minor, :param_12 AS policy_value_minor, :param_13 AS paid_minor, :param_14 AS currency, :param_15 AS pay_option, :param_16 AS provider_code, :param_17 AS state, :param_18 AS control_number, :param_19 AS created_at, :param_20 AS expires_at, :param_21 AS asked_at, :param_22 AS asked_times, :param_23 AS payment_record_id, :param_24 AS reuses, :param_25 AS issuer
WHERE NOT (EXISTS (SELECT 1
FROM gw_bill WITH (UPDLOCK, HOLDLOCK)
WHERE gw_bill.[key] = :key_1 AND gw_bill.generation = :generation_1));

-- SqlBills.record
INSERT INTO gw_bill_fact (bill_id, fact, at, details) OUTPUT inserted.id VALUES (:bill_id, :fact, :at, :details);
UPDATE gw_bill SET paid_minor=:paid_minor, state=:state, control_number=:control_number, payment_record_id=:payment_record_id, reuses=:reuses, issuer=:issuer WHERE gw_bill.id = :known_id;

-- SqlBills.record_all
INSERT INTO gw_bill_fact (bill_id, fact, at, details) OUTPUT inserted.id VALUES (:bill_id, :fact, :at, :details);
UPDATE gw_bill SET paid_minor=:paid_minor, state=:state, control_number=:control_number, payment_record_id=:payment_record_id, reuses=:reuses, issuer=:issuer WHERE gw_bill.id = :known_id;

-- SqlBills.asked
UPDATE gw_bill SET asked_at=:asked_at, asked_times=:asked_times WHERE gw_bill.id = :id_1;

-- SqlBills.given_up
UPDATE gw_bill SET asked_at=:asked_at, asked_times=:asked_times WHERE gw_bill.id = :id_1;

-- SqlBills.ask_once_more
UPDATE gw_bill SET asked_at=:asked_at, asked_times=(:asked_times_1 - gw_bill.asked_times) OUTPUT inserted.asked_times WHERE gw_bill.id = :id_1 AND gw_bill.state IN ('created', 'submitted') AND gw_bill.asked_times < :asked_times_2;

-- SqlBills.facts
SELECT gw_bill_fact.fact, gw_bill_fact.details
FROM gw_bill_fact
WHERE gw_bill_fact.bill_id = :bill_id_1 ORDER BY gw_bill_fact.id;

-- SqlBills.past_life
SELECT TOP 10 gw_bill.id, gw_bill.[key], gw_bill.generation, gw_bill.family_id, gw_bill.product_id, gw_bill.product_code, gw_bill.preceding_policy_id, gw_bill.stage, gw_bill.chfid, gw_bill.payer_name, gw_bill.amount_minor, gw_bill.policy_value_minor, gw_bill.paid_minor, gw_bill.currency, gw_bill.pay_option, gw_bill.provider_code, gw_bill.state, gw_bill.control_number, gw_bill.created_at, gw_bill.expires_at, gw_bill.asked_at, gw_bill.asked_times, gw_bill.payment_record_id, gw_bill.reuses, gw_bill.issuer
FROM gw_bill WITH (UPDLOCK, READPAST, ROWLOCK, READCOMMITTEDLOCK)
WHERE gw_bill.state IN ('created', 'submitted', 'numbered') AND gw_bill.expires_at <= :expires_at_1 ORDER BY gw_bill.expires_at;

-- SqlBills.add_requester
UPDATE gw_bill_requester WITH (UPDLOCK, HOLDLOCK) SET language=:language, officer=:officer WHERE gw_bill_requester.bill_id = :bill_id_1 AND gw_bill_requester.msisdn = :msisdn_1;
INSERT INTO gw_bill_requester (bill_id, msisdn, language, at, officer) VALUES (:bill_id, :msisdn, :language, :at, :officer);

-- SqlBills.requesters
SELECT gw_bill_requester.bill_id, gw_bill_requester.msisdn, gw_bill_requester.language, gw_bill_requester.officer
FROM gw_bill_requester
WHERE gw_bill_requester.bill_id IN (:ids_1) ORDER BY gw_bill_requester.at;

-- SqlBills.requesters_of
SELECT gw_bill_requester.bill_id, gw_bill_requester.msisdn, gw_bill_requester.language, gw_bill_requester.officer
FROM gw_bill_requester
WHERE gw_bill_requester.bill_id IN (:ids_1, :ids_2, :ids_3, :ids_4) ORDER BY gw_bill_requester.at;

-- SqlBills.numbers
SELECT gw_bill.id, gw_bill.[key], gw_bill.generation, gw_bill.family_id, gw_bill.product_id, gw_bill.product_code, gw_bill.preceding_policy_id, gw_bill.stage, gw_bill.chfid, gw_bill.payer_name, gw_bill.amount_minor, gw_bill.policy_value_minor, gw_bill.paid_minor, gw_bill.currency, gw_bill.pay_option, gw_bill.provider_code, gw_bill.state, gw_bill.control_number, gw_bill.created_at, gw_bill.expires_at, gw_bill.asked_at, gw_bill.asked_times, gw_bill.payment_record_id, gw_bill.reuses, gw_bill.issuer
FROM gw_bill
WHERE gw_bill.id IN (:id_1_1, :id_1_2, :id_1_3) AND (gw_bill.state NOT IN (:state_1_1, :state_1_2));

-- SqlBills.silent
SELECT TOP 10 gw_bill.id, gw_bill.[key], gw_bill.generation, gw_bill.family_id, gw_bill.product_id, gw_bill.product_code, gw_bill.preceding_policy_id, gw_bill.stage, gw_bill.chfid, gw_bill.payer_name, gw_bill.amount_minor, gw_bill.policy_value_minor, gw_bill.paid_minor, gw_bill.currency, gw_bill.pay_option, gw_bill.provider_code, gw_bill.state, gw_bill.control_number, gw_bill.created_at, gw_bill.expires_at, gw_bill.asked_at, gw_bill.asked_times, gw_bill.payment_record_id, gw_bill.reuses, gw_bill.issuer
FROM gw_bill WITH (UPDLOCK, READPAST, ROWLOCK, READCOMMITTEDLOCK)
WHERE gw_bill.state IN ('created', 'submitted') AND gw_bill.asked_at < :asked_at_1 AND gw_bill.asked_times > :asked_times_1 ORDER BY gw_bill.asked_at;

-- SqlCallers.known
SELECT gw_phone.msisdn, gw_phone.insuree_id, CAST(NULL AS VARCHAR(5)) AS language, CAST(NULL AS INTEGER) AS officer_id, CAST(NULL AS INTEGER) AS family_id
FROM gw_phone
WHERE gw_phone.msisdn IN (:msisdns_1, :msisdns_2) UNION ALL SELECT gw_caller.msisdn, CAST(NULL AS INTEGER) AS insuree_id, gw_caller.language, CAST(NULL AS INTEGER) AS officer_id, CAST(NULL AS INTEGER) AS family_id
FROM gw_caller
WHERE gw_caller.msisdn IN (:msisdns_1, :msisdns_2) UNION ALL SELECT gw_officer_phone.msisdn, CAST(NULL AS INTEGER) AS insuree_id, CAST(NULL AS VARCHAR(5)) AS language, gw_officer_phone.officer_id, CAST(NULL AS INTEGER) AS family_id
FROM gw_officer_phone
WHERE gw_officer_phone.msisdn IN (:msisdns_1, :msisdns_2) UNION ALL SELECT gw_phone_report.msisdn, CAST(NULL AS INTEGER) AS insuree_id, CAST(NULL AS VARCHAR(5)) AS language, CAST(NULL AS INTEGER) AS officer_id, gw_phone_report.family_id
FROM gw_phone_report
WHERE gw_phone_report.msisdn IN (:msisdns_1, :msisdns_2) AND gw_phone_report.says = 'not_ours';
SELECT gw_phone.msisdn, gw_phone.insuree_id, CAST(NULL AS VARCHAR(5)) AS language, CAST(NULL AS INTEGER) AS officer_id, CAST(NULL AS INTEGER) AS family_id
FROM gw_phone
WHERE gw_phone.msisdn IN (NULL) AND (1 != 1) UNION ALL SELECT gw_caller.msisdn, CAST(NULL AS INTEGER) AS insuree_id, gw_caller.language, CAST(NULL AS INTEGER) AS officer_id, CAST(NULL AS INTEGER) AS family_id
FROM gw_caller
WHERE gw_caller.msisdn IN (NULL) AND (1 != 1) UNION ALL SELECT gw_officer_phone.msisdn, CAST(NULL AS INTEGER) AS insuree_id, CAST(NULL AS VARCHAR(5)) AS language, gw_officer_phone.officer_id, CAST(NULL AS INTEGER) AS family_id
FROM gw_officer_phone
WHERE gw_officer_phone.msisdn IN (NULL) AND (1 != 1) UNION ALL SELECT gw_phone_report.msisdn, CAST(NULL AS INTEGER) AS insuree_id, CAST(NULL AS VARCHAR(5)) AS language, CAST(NULL AS INTEGER) AS officer_id, gw_phone_report.family_id
FROM gw_phone_report
WHERE gw_phone_report.msisdn IN (NULL) AND (1 != 1) AND gw_phone_report.says = 'not_ours';

-- SqlCallers.languages
SELECT gw_caller.msisdn, gw_caller.language
FROM gw_caller
WHERE gw_caller.msisdn IN (:msisdns_1, :msisdns_2);

-- SqlCallers.set_language
UPDATE gw_caller WITH (UPDLOCK, HOLDLOCK) SET language=:language, updated_at=:updated_at WHERE gw_caller.msisdn = :msisdn_1;
INSERT INTO gw_caller (msisdn, language, updated_at) VALUES (:msisdn, :language, :updated_at);

-- SqlCallers.index_phones
DELETE FROM gw_phone WITH (UPDLOCK, HOLDLOCK) WHERE gw_phone.insuree_id IN (:insuree_id_1_1, :insuree_id_1_2, :insuree_id_1_3, :insuree_id_1_4);
INSERT INTO gw_phone (insuree_id, family_id, msisdn) VALUES (:insuree_id, :family_id, :msisdn);
DELETE FROM gw_phone WHERE gw_phone.insuree_id IN (:insuree_id_1_1, :insuree_id_1_2);
DELETE FROM gw_phone WITH (UPDLOCK, HOLDLOCK) WHERE gw_phone.insuree_id IN (:insuree_id_1_1);

-- SqlCallers.index_range
SELECT gw_phone.insuree_id
FROM gw_phone
WHERE gw_phone.insuree_id > :insuree_id_1 AND gw_phone.insuree_id <= :insuree_id_2;
DELETE FROM gw_phone WITH (UPDLOCK, HOLDLOCK) WHERE gw_phone.insuree_id IN (:insuree_id_1_1);
INSERT INTO gw_phone (insuree_id, family_id, msisdn) VALUES (:insuree_id, :family_id, :msisdn);
SELECT gw_phone.insuree_id
FROM gw_phone
WHERE gw_phone.insuree_id > :insuree_id_1;
DELETE FROM gw_phone WHERE gw_phone.insuree_id IN (:insuree_id_1_1);

-- SqlCallers.index_officers
SELECT gw_officer_phone.officer_id, gw_officer_phone.msisdn
FROM gw_officer_phone
WHERE gw_officer_phone.officer_id > :officer_id_1 AND gw_officer_phone.officer_id <= :officer_id_2;
DELETE FROM gw_officer_phone WITH (UPDLOCK, HOLDLOCK) WHERE gw_officer_phone.officer_id IN (:officer_id_1_1, :officer_id_1_2);
INSERT INTO gw_officer_phone (officer_id, msisdn) VALUES (:officer_id, :msisdn);
SELECT gw_officer_phone.officer_id, gw_officer_phone.msisdn
FROM gw_officer_phone
WHERE gw_officer_phone.officer_id > :officer_id_1;
DELETE FROM gw_officer_phone WHERE gw_officer_phone.officer_id IN (:officer_id_1_1);
DELETE FROM gw_officer_phone WITH (UPDLOCK, HOLDLOCK) WHERE gw_officer_phone.officer_id IN (:officer_id_1_1);

-- SqlCallers.watermark
SELECT gw_watermark.at
FROM gw_watermark
WHERE gw_watermark.name = :name_1;

-- SqlCallers.set_watermark
UPDATE gw_watermark WITH (UPDLOCK, HOLDLOCK) SET at=:at WHERE gw_watermark.name = :name_1;
INSERT INTO gw_watermark (name, at) VALUES (:name, :at);

-- SqlCallers.count_miss
UPDATE gw_miss WITH (UPDLOCK, HOLDLOCK) SET count=(gw_miss.count + :count_1) WHERE gw_miss.msisdn = :msisdn_1 AND gw_miss.hour = :hour_1;
INSERT INTO gw_miss (msisdn, hour, count) VALUES (:msisdn, :hour, :count);
SELECT gw_miss.count
FROM gw_miss
WHERE gw_miss.msisdn = :msisdn_1 AND gw_miss.hour = :hour_1;

-- SqlCallers.misses
SELECT gw_miss.count
FROM gw_miss
WHERE gw_miss.msisdn = :msisdn_1 AND gw_miss.hour = :hour_1;

-- SqlCallers.report
INSERT INTO gw_phone_report (id, msisdn, family_id, says, at) SELECT :param_1 AS id, :param_2 AS msisdn, :param_3 AS family_id, :param_4 AS says, :param_5 AS at
WHERE NOT (EXISTS (SELECT 1
FROM gw_phone_report WITH (UPDLOCK, HOLDLOCK)
WHERE gw_phone_report.msisdn = :msisdn_1 AND gw_phone_report.family_id = :family_id_1 AND gw_phone_report.says = :says_1));

-- SqlCallers.claims
SELECT count(*) AS count_1
FROM gw_phone_report
WHERE gw_phone_report.msisdn = :msisdn_1 AND gw_phone_report.says = :says_1;

-- SqlCallers.disowned
SELECT gw_phone_report.msisdn, gw_phone_report.family_id
FROM gw_phone_report
WHERE gw_phone_report.msisdn IN (:msisdns_1, :msisdns_2) AND gw_phone_report.family_id IN (:families_1, :families_2) AND gw_phone_report.says = 'not_ours';

-- SqlCallers.lift_report
DELETE FROM gw_phone_report WHERE gw_phone_report.id = :id_1;

-- SqlCases.open
INSERT INTO gw_case (kind, subject, provider, inbox_id, bill_id, amount_minor, currency, details, state, opened_at) SELECT :param_1 AS kind, :param_2 AS subject, :param_3 AS provider, :param_4 AS inbox_id, :param_5 AS bill_id, :param_6 AS amount_minor, :param_7 AS currency, :param_8 AS details, :param_9 AS state, :param_10 AS opened_at
WHERE NOT (EXISTS (SELECT 1
FROM gw_case WITH (UPDLOCK, HOLDLOCK)
WHERE gw_case.kind = :kind_1 AND gw_case.subject = :subject_1));
UPDATE gw_case SET kind=:kind, subject=:subject, provider=:provider, inbox_id=:inbox_id, bill_id=:bill_id, amount_minor=:amount_minor, currency=:currency, details=:details, state=:state, opened_at=:opened_at, closed_at=:closed_at, act=:act, closed_by=:closed_by, note=:note WHERE gw_case.kind = :kind_1 AND gw_case.subject = :subject_1 AND gw_case.state = :state_1;

-- SqlCases.listed
SELECT TOP 200 gw_case.id, gw_case.kind, gw_case.subject, gw_case.provider, gw_case.inbox_id, gw_case.bill_id, gw_case.amount_minor, gw_case.currency, gw_case.details, gw_case.state, gw_case.opened_at, gw_case.closed_at
FROM gw_case
WHERE gw_case.state IN (:state_1_1) ORDER BY gw_case.opened_at, gw_case.id;
SELECT TOP 9 gw_case.id, gw_case.kind, gw_case.subject, gw_case.provider, gw_case.inbox_id, gw_case.bill_id, gw_case.amount_minor, gw_case.currency, gw_case.details, gw_case.state, gw_case.opened_at, gw_case.closed_at
FROM gw_case
WHERE gw_case.state IN (:state_1_1, :state_1_2) ORDER BY gw_case.opened_at, gw_case.id;

-- SqlCases.by_id
SELECT gw_case.id, gw_case.kind, gw_case.subject, gw_case.provider, gw_case.inbox_id, gw_case.bill_id, gw_case.amount_minor, gw_case.currency, gw_case.details, gw_case.state, gw_case.opened_at, gw_case.closed_at, gw_case.act, gw_case.closed_by, gw_case.note
FROM gw_case WITH (UPDLOCK, ROWLOCK)
WHERE gw_case.id = :id_1;
SELECT gw_case.id, gw_case.kind, gw_case.subject, gw_case.provider, gw_case.inbox_id, gw_case.bill_id, gw_case.amount_minor, gw_case.currency, gw_case.details, gw_case.state, gw_case.opened_at, gw_case.closed_at, gw_case.act, gw_case.closed_by, gw_case.note
FROM gw_case
WHERE gw_case.id = :id_1;

-- SqlCases.about
SELECT gw_case.id, gw_case.kind, gw_case.subject, gw_case.provider, gw_case.inbox_id, gw_case.bill_id, gw_case.amount_minor, gw_case.currency, gw_case.details, gw_case.state, gw_case.opened_at, gw_case.closed_at
FROM gw_case
WHERE gw_case.subject IN (:subject_1_1, :subject_1_2) ORDER BY gw_case.opened_at, gw_case.id;

-- SqlCases.settle
UPDATE gw_case SET details=:details, state=:state, closed_at=:closed_at, act=:act, closed_by=:closed_by, note=:note WHERE gw_case.id = :id_1;

-- SqlFollow.place
SELECT gw_place.name, gw_place.followed, gw_place.seen, gw_place.seen_at
FROM gw_place
WHERE gw_place.name = :name_1;

-- SqlFollow.set_place
UPDATE gw_place WITH (UPDLOCK, HOLDLOCK) SET followed=:followed, seen=:seen, seen_at=:seen_at WHERE gw_place.name = :name_1;
INSERT INTO gw_place (name, followed, seen, seen_at) VALUES (:name, :followed, :seen, :seen_at);

-- SqlFollow.notice
INSERT INTO gw_policy_event (policy_id, kind, family_id, origin, day, at) SELECT :param_1 AS policy_id, :param_2 AS kind, :param_3 AS family_id, :param_4 AS origin, :param_5 AS day, :param_6 AS at
WHERE NOT (EXISTS (SELECT 1
FROM gw_policy_event WITH (UPDLOCK, HOLDLOCK)
WHERE gw_policy_event.policy_id = :policy_id_1 AND gw_policy_event.kind = :kind_1));

-- SqlFollow.notice_each
INSERT INTO gw_policy_event (policy_id, kind, family_id, origin, day, at) SELECT :param_1 AS policy_id, :param_2 AS kind, :param_3 AS family_id, :param_4 AS origin, :param_5 AS day, :param_6 AS at
WHERE NOT (EXISTS (SELECT 1
FROM gw_policy_event WITH (UPDLOCK, HOLDLOCK)
WHERE gw_policy_event.policy_id = :policy_id_1 AND gw_policy_event.kind = :kind_1));

-- SqlFollow.noticed
SELECT gw_policy_event.policy_id, gw_policy_event.kind
FROM gw_policy_event
WHERE gw_policy_event.policy_id IN (:policy_id_1_1, :policy_id_1_2);

-- SqlFollow.born_here
SELECT gw_policy_event.policy_id
FROM gw_policy_event
WHERE gw_policy_event.policy_id IN (:policy_id_1_1, :policy_id_1_2) AND gw_policy_event.kind = :kind_1 AND gw_policy_event.origin = :origin_1 AND gw_policy_event.at >= :at_1;

-- SqlInbox.keep
INSERT INTO gw_inbox (id, provider, route, received_at, body, size, headers, digest, verdict, why, message_id, reply_status) VALUES (:id, :provider, :route, :received_at, :body, :size, :headers, :digest, :verdict, :why, :message_id, :reply_status);

-- SqlInbox.keep_all
INSERT INTO gw_inbox (id, provider, route, received_at, body, size, headers, digest, verdict, why, message_id, reply_status) VALUES (:id, :provider, :route, :received_at, :body, :size, :headers, :digest, :verdict, :why, :message_id, :reply_status);
INSERT INTO gw_entry (inbox_id, line, provider, kind, notice, state, received_at, not_before, attempts, note, updated_at) VALUES (:inbox_id, :line, :provider, :kind, :notice, :state, :received_at, :not_before, :attempts, :note, :updated_at);

-- SqlInbox.due
SELECT 1
WHERE EXISTS (SELECT gw_entry.line
FROM gw_entry
WHERE gw_entry.state = 'new' AND gw_entry.not_before <= :not_before_1 AND gw_entry.kind IN (:kind_1_1, :kind_1_2, :kind_1_3));

-- SqlInbox.claim_new
SELECT TOP 2 gw_entry.inbox_id, gw_entry.line, gw_entry.provider, gw_entry.kind, gw_entry.notice, gw_entry.state, gw_entry.received_at, gw_entry.not_before, gw_entry.attempts, gw_entry.bill_id, gw_entry.note, gw_entry.updated_at
FROM gw_entry WITH (UPDLOCK, READPAST, ROWLOCK, READCOMMITTEDLOCK)
WHERE gw_entry.state = 'new' AND gw_entry.not_before <= :not_before_1 AND gw_entry.kind IN (:kind_1_1, :kind_1_2, :kind_1_3) ORDER BY gw_entry.not_before;

-- SqlInbox.mark
UPDATE gw_entry SET state=:state, bill_id=:bill_id, note=:note, updated_at=:updated_at WHERE gw_entry.inbox_id = :of_inbox AND gw_entry.line = :of_line;

-- SqlInbox.mark_all
UPDATE gw_entry SET state=:state, bill_id=:bill_id, note=:note, updated_at=:updated_at WHERE gw_entry.inbox_id = :of_inbox AND gw_entry.line = :of_line;

-- SqlInbox.postpone
UPDATE gw_entry SET not_before=:not_before, attempts=(gw_entry.attempts + :attempts_1), note=:note, updated_at=:updated_at WHERE gw_entry.inbox_id = :inbox_id_1 AND gw_entry.line = :line_1 AND gw_entry.state = :state_1;

-- SqlInbox.entries_of
SELECT gw_entry.inbox_id, gw_entry.line, gw_entry.provider, gw_entry.kind, gw_entry.notice, gw_entry.state, gw_entry.received_at, gw_entry.not_before, gw_entry.attempts, gw_entry.bill_id, gw_entry.note, gw_entry.updated_at
FROM gw_entry
WHERE gw_entry.inbox_id = :inbox_id_1 ORDER BY gw_entry.line;

-- SqlInbox.evidence
SELECT gw_inbox.id, gw_inbox.provider, gw_inbox.route, gw_inbox.received_at, gw_inbox.body, gw_inbox.size, gw_inbox.headers, gw_inbox.digest, gw_inbox.verdict, gw_inbox.why, gw_inbox.message_id, gw_inbox.reply_status
FROM gw_inbox
WHERE gw_inbox.id = :id_1;

-- SqlInbox.refused
SELECT TOP 9 gw_inbox.id, gw_inbox.provider, gw_inbox.route, gw_inbox.received_at, gw_inbox.body, gw_inbox.size, gw_inbox.headers, gw_inbox.digest, gw_inbox.verdict, gw_inbox.why, gw_inbox.message_id, gw_inbox.reply_status
FROM gw_inbox
WHERE gw_inbox.received_at >= :received_at_1 AND (gw_inbox.verdict NOT IN (:verdict_1_1, :verdict_1_2)) AND NOT (EXISTS (SELECT gw_entry.line
FROM gw_entry
WHERE gw_entry.inbox_id = gw_inbox.id)) ORDER BY gw_inbox.received_at, gw_inbox.id;
SELECT TOP 9 gw_inbox.id, gw_inbox.provider, gw_inbox.route, gw_inbox.received_at, gw_inbox.body, gw_inbox.size, gw_inbox.headers, gw_inbox.digest, gw_inbox.verdict, gw_inbox.why, gw_inbox.message_id, gw_inbox.reply_status
FROM gw_inbox
WHERE gw_inbox.received_at >= :received_at_1 AND (gw_inbox.verdict NOT IN (:verdict_1_1, :verdict_1_2)) AND NOT (EXISTS (SELECT gw_entry.line
FROM gw_entry
WHERE gw_entry.inbox_id = gw_inbox.id)) AND (gw_inbox.received_at > :received_at_2 OR gw_inbox.received_at = :received_at_3 AND gw_inbox.id > :id_1) ORDER BY gw_inbox.received_at, gw_inbox.id;

-- SqlInbox.add_entries
INSERT INTO gw_entry (inbox_id, line, provider, kind, notice, state, received_at, not_before, attempts, note, updated_at) SELECT :param_1 AS inbox_id, :param_2 AS line, :param_3 AS provider, :param_4 AS kind, :param_5 AS notice, :param_6 AS state, :param_7 AS received_at, :param_8 AS not_before, :param_9 AS attempts, :param_10 AS note, :param_11 AS updated_at
WHERE NOT (EXISTS (SELECT 1
FROM gw_entry WITH (UPDLOCK, HOLDLOCK)
WHERE gw_entry.inbox_id = :inbox_id_1 AND gw_entry.line = :line_1));

-- SqlInbox.claim
SELECT gw_entry.inbox_id, gw_entry.line, gw_entry.provider, gw_entry.kind, gw_entry.notice, gw_entry.state, gw_entry.received_at, gw_entry.not_before, gw_entry.attempts, gw_entry.bill_id, gw_entry.note, gw_entry.updated_at
FROM gw_entry WITH (UPDLOCK, ROWLOCK)
WHERE gw_entry.inbox_id = :inbox_id_1 AND gw_entry.line = :line_1 AND gw_entry.state = 'new';

-- SqlPayments.first_report
INSERT INTO gw_payment (reference, control_number, digest, provider, amount_minor, currency, paid_at, receipt, state, inbox_id, first_seen_at, updated_at) SELECT :param_1 AS reference, :param_2 AS control_number, :param_3 AS digest, :param_4 AS provider, :param_5 AS amount_minor, :param_6 AS currency, :param_7 AS paid_at, :param_8 AS receipt, :param_9 AS state, :param_10 AS inbox_id, :param_11 AS first_seen_at, :param_12 AS updated_at
WHERE NOT (EXISTS (SELECT 1
FROM gw_payment WITH (UPDLOCK, HOLDLOCK)
WHERE gw_payment.reference = :reference_1 AND gw_payment.control_number = :control_number_1));
SELECT gw_payment.reference, gw_payment.control_number, gw_payment.id, gw_payment.digest, gw_payment.state
FROM gw_payment
WHERE gw_payment.control_number IN (:numbers_1);

-- SqlPayments.first_reports
INSERT INTO gw_payment (reference, control_number, digest, provider, amount_minor, currency, paid_at, receipt, state, inbox_id, first_seen_at, updated_at) SELECT :param_1 AS reference, :param_2 AS control_number, :param_3 AS digest, :param_4 AS provider, :param_5 AS amount_minor, :param_6 AS currency, :param_7 AS paid_at, :param_8 AS receipt, :param_9 AS state, :param_10 AS inbox_id, :param_11 AS first_seen_at, :param_12 AS updated_at
WHERE NOT (EXISTS (SELECT 1
FROM gw_payment WITH (UPDLOCK, HOLDLOCK)
WHERE gw_payment.reference = :reference_1 AND gw_payment.control_number = :control_number_1));
SELECT gw_payment.reference, gw_payment.control_number, gw_payment.id, gw_payment.digest, gw_payment.state
FROM gw_payment
WHERE gw_payment.control_number IN (:numbers_1, :numbers_2);

-- SqlPayments.receipt_is_held
SELECT 1
WHERE EXISTS (SELECT gw_payment.id
FROM gw_payment
WHERE gw_payment.control_number = :control_number_1 AND gw_payment.receipt = :receipt_1 AND gw_payment.amount_minor = :amount_minor_1 AND gw_payment.currency = :currency_1 AND gw_payment.reference != :reference_1);

-- SqlPayments.mark
UPDATE gw_payment SET state=:state, bill_id=:bill_id, premium_id=:premium_id, updated_at=:updated_at WHERE gw_payment.reference = :of_reference AND gw_payment.control_number = :of_number;

-- SqlPayments.mark_all
UPDATE gw_payment SET state=:state, bill_id=:bill_id, premium_id=:premium_id, updated_at=:updated_at WHERE gw_payment.reference = :of_reference AND gw_payment.control_number = :of_number;

-- SqlPayments.came_elsewhere
SELECT 1
WHERE EXISTS (SELECT gw_payment.id
FROM gw_payment
WHERE gw_payment.bill_id = :bill_id_1 AND gw_payment.provider != :provider_1);

-- SqlPayments.held_for
SELECT TOP 3 gw_payment.amount_minor, gw_payment.currency, gw_payment.reference, gw_payment.paid_at, gw_payment.first_seen_at
FROM gw_payment JOIN gw_bill ON gw_bill.id = gw_payment.bill_id
WHERE gw_bill.family_id = :family_id_1 AND gw_payment.state IN (:state_1_1, :state_1_2) ORDER BY gw_payment.first_seen_at DESC, gw_payment.id DESC;

-- SqlPayments.sent_by
SELECT TOP 1 gw_payment.id, gw_payment.reference, gw_payment.control_number, gw_payment.digest, gw_payment.provider, gw_payment.amount_minor, gw_payment.currency, gw_payment.paid_at, gw_payment.receipt, gw_payment.state, gw_payment.inbox_id, gw_payment.bill_id, gw_payment.premium_id, gw_payment.first_seen_at, gw_payment.updated_at, gw_case.kind AS case_kind
FROM gw_payment LEFT OUTER JOIN gw_case ON gw_case.kind IN (:kind_1_1, :kind_1_2, :kind_1_3, :kind_1_4, :kind_1_5, :kind_1_6, :kind_1_7, :kind_1_8, :kind_1_9, :kind_1_10, :kind_1_11, :kind_1_12, :kind_1_13, :kind_1_14, :kind_1_15, :kind_1_16, :kind_1_17, :kind_1_18, :kind_1_19, :kind_1_20, :kind_1_21, :kind_1_22) AND gw_case.subject = (:param_2 + gw_payment.reference + :param_3 + gw_payment.control_number)
WHERE gw_payment.reference = :reference_1 AND gw_payment.provider = :provider_1 ORDER BY gw_payment.id, gw_case.id;
SELECT 1
WHERE EXISTS (SELECT gw_inbox.id
FROM gw_inbox
WHERE gw_inbox.message_id = :message_id_1 AND gw_inbox.route = 'notice' AND gw_inbox.provider = :provider_1 AND gw_inbox.verdict = :verdict_1);

-- SqlOutbox.put
INSERT INTO gw_outbox (kind, dedupe_key, aggregate, payload, priority, channel, state, not_before, attempts, created_at) SELECT :param_1 AS kind, :param_2 AS dedupe_key, :param_3 AS aggregate, :param_4 AS payload, :param_5 AS priority, :param_6 AS channel, :param_7 AS state, :param_8 AS not_before, :param_9 AS attempts, :param_10 AS created_at
WHERE NOT (EXISTS (SELECT 1
FROM gw_outbox WITH (UPDLOCK, HOLDLOCK)
WHERE gw_outbox.dedupe_key = :dedupe_key_1));

-- SqlOutbox.put_each
INSERT INTO gw_outbox (kind, dedupe_key, aggregate, payload, priority, channel, state, not_before, attempts, created_at) SELECT :param_1 AS kind, :param_2 AS dedupe_key, :param_3 AS aggregate, :param_4 AS payload, :param_5 AS priority, :param_6 AS channel, :param_7 AS state, :param_8 AS not_before, :param_9 AS attempts, :param_10 AS created_at
WHERE NOT (EXISTS (SELECT 1
FROM gw_outbox WITH (UPDLOCK, HOLDLOCK)
WHERE gw_outbox.dedupe_key = :dedupe_key_1));

-- SqlOutbox.known
SELECT gw_outbox.dedupe_key, gw_outbox.kind, gw_outbox.payload, gw_outbox.state
FROM gw_outbox
WHERE gw_outbox.dedupe_key IN (:dedupe_key_1_1, :dedupe_key_1_2, :dedupe_key_1_3, :dedupe_key_1_4) AND gw_outbox.kind IN (:kind_1_1, :kind_1_2, :kind_1_3, :kind_1_4, :kind_1_5, :kind_1_6, :kind_1_7);
SELECT gw_outbox.dedupe_key, gw_outbox.kind, gw_outbox.payload, gw_outbox.state
FROM gw_outbox
WHERE gw_outbox.dedupe_key IN (:dedupe_key_1_1) AND gw_outbox.kind IN (:kind_1_1, :kind_1_2, :kind_1_3, :kind_1_4, :kind_1_5, :kind_1_6, :kind_1_7);

-- SqlOutbox.due
SELECT 1
WHERE (EXISTS (SELECT gw_outbox.id
FROM gw_outbox
WHERE gw_outbox.channel = :channel_1 AND gw_outbox.state = 'todo' AND gw_outbox.not_before <= :not_before_1 AND gw_outbox.kind IN (:kind_1_1, :kind_1_2, :kind_1_3, :kind_1_4, :kind_1_5, :kind_1_6, :kind_1_7))) OR (EXISTS (SELECT gw_outbox.id
FROM gw_outbox
WHERE gw_outbox.state = 'leased' AND gw_outbox.lease_until < :lease_until_1));

-- SqlOutbox.lease
UPDATE gw_outbox SET state=:state, lease_token=:lease_token WHERE gw_outbox.state = 'leased' AND gw_outbox.lease_until < :lease_until_1;
WITH due AS
(SELECT TOP 3 gw_outbox.id AS id
FROM gw_outbox WITH (UPDLOCK, READPAST, ROWLOCK, READCOMMITTEDLOCK)
WHERE gw_outbox.channel = :channel_1 AND gw_outbox.state = 'todo' AND gw_outbox.not_before <= :not_before_1 AND gw_outbox.kind IN (:kind_1_1, :kind_1_2, :kind_1_3, :kind_1_4, :kind_1_5, :kind_1_6, :kind_1_7) ORDER BY gw_outbox.priority, gw_outbox.id)
 UPDATE gw_outbox WITH (UPDLOCK, READPAST, ROWLOCK, READCOMMITTEDLOCK) SET state=:state, attempts=(gw_outbox.attempts + :attempts_1), lease_token=:lease_token, lease_until=:lease_until OUTPUT inserted.id, inserted.kind, inserted.payload, inserted.attempts, inserted.created_at WHERE gw_outbox.id IN (SELECT due.id
FROM due);

-- SqlOutbox.finish
UPDATE gw_outbox SET state=:state, lease_token=:lease_token, lease_until=:lease_until, last_outcome=:last_outcome, done_at=:done_at WHERE gw_outbox.id = :id_1 AND gw_outbox.lease_token = :lease_token_1 AND gw_outbox.state = :state_1;

-- SqlOutbox.again
UPDATE gw_outbox SET state=:state, not_before=:not_before, lease_token=:lease_token, lease_until=:lease_until, last_outcome=:last_outcome WHERE gw_outbox.id = :id_1 AND gw_outbox.lease_token = :lease_token_1 AND gw_outbox.state = :state_1;

-- SqlOutbox.hold
UPDATE gw_outbox SET state=:state, lease_token=:lease_token, lease_until=:lease_until, last_outcome=:last_outcome WHERE gw_outbox.id = :id_1 AND gw_outbox.lease_token = :lease_token_1 AND gw_outbox.state = :state_1;

-- SqlOutbox.counts
SELECT gw_outbox.state, count(*) AS count_1
FROM gw_outbox
WHERE gw_outbox.state != 'done' GROUP BY gw_outbox.state;

-- SqlPool.add
INSERT INTO gw_pool_number (bill_id, product_id, product_code, provider_code, amount_minor, currency, pay_option, state, control_number, created_at, expires_at, asked_at, asked_times, changed_at, payment_record_id) VALUES (:bill_id, :product_id, :product_code, :provider_code, :amount_minor, :currency, :pay_option, :state, :control_number, :created_at, :expires_at, :asked_at, :asked_times, :changed_at, :payment_record_id);

-- SqlPool.by_id
SELECT gw_pool_number.bill_id, gw_pool_number.product_id, gw_pool_number.product_code, gw_pool_number.provider_code, gw_pool_number.amount_minor, gw_pool_number.currency, gw_pool_number.pay_option, gw_pool_number.state, gw_pool_number.control_number, gw_pool_number.created_at, gw_pool_number.expires_at, gw_pool_number.asked_at, gw_pool_number.asked_times, gw_pool_number.changed_at, gw_pool_number.payment_record_id
FROM gw_pool_number WITH (UPDLOCK, ROWLOCK)
WHERE gw_pool_number.bill_id = :bill_id_1;
SELECT gw_pool_number.bill_id, gw_pool_number.product_id, gw_pool_number.product_code, gw_pool_number.provider_code, gw_pool_number.amount_minor, gw_pool_number.currency, gw_pool_number.pay_option, gw_pool_number.state, gw_pool_number.control_number, gw_pool_number.created_at, gw_pool_number.expires_at, gw_pool_number.asked_at, gw_pool_number.asked_times, gw_pool_number.changed_at, gw_pool_number.payment_record_id
FROM gw_pool_number
WHERE gw_pool_number.bill_id = :bill_id_1;

-- SqlPool.by_control_number
SELECT gw_pool_number.bill_id, gw_pool_number.product_id, gw_pool_number.product_code, gw_pool_number.provider_code, gw_pool_number.amount_minor, gw_pool_number.currency, gw_pool_number.pay_option, gw_pool_number.state, gw_pool_number.control_number, gw_pool_number.created_at, gw_pool_number.expires_at, gw_pool_number.asked_at, gw_pool_number.asked_times, gw_pool_number.changed_at, gw_pool_number.payment_record_id
FROM gw_pool_number WITH (UPDLOCK, ROWLOCK)
WHERE gw_pool_number.control_number = :control_number_1;
SELECT gw_pool_number.bill_id, gw_pool_number.product_id, gw_pool_number.product_code, gw_pool_number.provider_code, gw_pool_number.amount_minor, gw_pool_number.currency, gw_pool_number.pay_option, gw_pool_number.state, gw_pool_number.control_number, gw_pool_number.created_at, gw_pool_number.expires_at, gw_pool_number.asked_at, gw_pool_number.asked_times, gw_pool_number.changed_at, gw_pool_number.payment_record_id
FROM gw_pool_number
WHERE gw_pool_number.control_number IN (:numbers_1);

-- SqlPool.by_control_numbers
SELECT gw_pool_number.bill_id, gw_pool_number.product_id, gw_pool_number.product_code, gw_pool_number.provider_code, gw_pool_number.amount_minor, gw_pool_number.currency, gw_pool_number.pay_option, gw_pool_number.state, gw_pool_number.control_number, gw_pool_number.created_at, gw_pool_number.expires_at, gw_pool_number.asked_at, gw_pool_number.asked_times, gw_pool_number.changed_at, gw_pool_number.payment_record_id
FROM gw_pool_number
WHERE gw_pool_number.control_number IN (:numbers_1, :numbers_2);

-- SqlPool.several
SELECT gw_pool_number.bill_id, gw_pool_number.product_id, gw_pool_number.product_code, gw_pool_number.provider_code, gw_pool_number.amount_minor, gw_pool_number.currency, gw_pool_number.pay_option, gw_pool_number.state, gw_pool_number.control_number, gw_pool_number.created_at, gw_pool_number.expires_at, gw_pool_number.asked_at, gw_pool_number.asked_times, gw_pool_number.changed_at, gw_pool_number.payment_record_id
FROM gw_pool_number
WHERE gw_pool_number.bill_id IN (:bill_id_1_1, :bill_id_1_2, :bill_id_1_3) ORDER BY gw_pool_number.bill_id;

-- SqlPool.take
SELECT TOP 1 gw_pool_number.bill_id, gw_pool_number.product_id, gw_pool_number.product_code, gw_pool_number.provider_code, gw_pool_number.amount_minor, gw_pool_number.currency, gw_pool_number.pay_option, gw_pool_number.state, gw_pool_number.control_number, gw_pool_number.created_at, gw_pool_number.expires_at, gw_pool_number.asked_at, gw_pool_number.asked_times, gw_pool_number.changed_at, gw_pool_number.payment_record_id
FROM gw_pool_number WITH (UPDLOCK, READPAST, ROWLOCK, READCOMMITTEDLOCK)
WHERE gw_pool_number.product_id = :product_id_1 AND gw_pool_number.state = 'ready' AND gw_pool_number.expires_at >= :expires_at_1 AND gw_pool_number.amount_minor = :amount_minor_1 AND gw_pool_number.currency = :currency_1 AND gw_pool_number.pay_option = :pay_option_1 AND EXISTS (SELECT gw_pool_number.provider_code INTERSECT SELECT :provider_code_1) ORDER BY gw_pool_number.expires_at;
SELECT TOP 1 gw_pool_number.bill_id, gw_pool_number.product_id, gw_pool_number.product_code, gw_pool_number.provider_code, gw_pool_number.amount_minor, gw_pool_number.currency, gw_pool_number.pay_option, gw_pool_number.state, gw_pool_number.control_number, gw_pool_number.created_at, gw_pool_number.expires_at, gw_pool_number.asked_at, gw_pool_number.asked_times, gw_pool_number.changed_at, gw_pool_number.payment_record_id
FROM gw_pool_number WITH (UPDLOCK, READPAST, ROWLOCK, READCOMMITTEDLOCK)
WHERE gw_pool_number.product_id = :product_id_1 AND gw_pool_number.state = 'ready' AND gw_pool_number.expires_at >= :expires_at_1 AND gw_pool_number.amount_minor = :amount_minor_1 AND gw_pool_number.currency = :currency_1 AND gw_pool_number.pay_option = :pay_option_1 AND EXISTS (SELECT gw_pool_number.provider_code INTERSECT SELECT NULL) ORDER BY gw_pool_number.expires_at;
UPDATE gw_pool_number SET state=:state, changed_at=:changed_at WHERE gw_pool_number.bill_id = :bill_id_1;

-- SqlPool.change
UPDATE gw_pool_number SET state=:state, control_number=:control_number, changed_at=:changed_at WHERE gw_pool_number.bill_id = :bill_id_1;
UPDATE gw_pool_number SET state=:state, changed_at=:changed_at WHERE gw_pool_number.bill_id = :bill_id_1;

-- SqlPool.supply
SELECT gw_pool_number.state, count(*) AS count_1
FROM gw_pool_number
WHERE gw_pool_number.product_id = :product_id_1 AND gw_pool_number.amount_minor = :amount_minor_1 AND gw_pool_number.currency = :currency_1 AND gw_pool_number.pay_option = :pay_option_1 AND EXISTS (SELECT gw_pool_number.provider_code INTERSECT SELECT NULL) AND (gw_pool_number.state = 'ready' AND gw_pool_number.expires_at >= :expires_at_1 OR gw_pool_number.state = 'asked' OR gw_pool_number.state = :state_1 AND gw_pool_number.changed_at >= :changed_at_1) GROUP BY gw_pool_number.state;

-- SqlPool.silent
SELECT TOP 9 gw_pool_number.bill_id, gw_pool_number.product_id, gw_pool_number.product_code, gw_pool_number.provider_code, gw_pool_number.amount_minor, gw_pool_number.currency, gw_pool_number.pay_option, gw_pool_number.state, gw_pool_number.control_number, gw_pool_number.created_at, gw_pool_number.expires_at, gw_pool_number.asked_at, gw_pool_number.asked_times, gw_pool_number.changed_at, gw_pool_number.payment_record_id
FROM gw_pool_number WITH (UPDLOCK, READPAST, ROWLOCK, READCOMMITTEDLOCK)
WHERE gw_pool_number.state = 'asked' AND gw_pool_number.asked_at < :asked_at_1 AND gw_pool_number.asked_times BETWEEN :asked_times_1 AND :asked_times_2 ORDER BY gw_pool_number.asked_at;
SELECT TOP 2 gw_pool_number.bill_id, gw_pool_number.product_id, gw_pool_number.product_code, gw_pool_number.provider_code, gw_pool_number.amount_minor, gw_pool_number.currency, gw_pool_number.pay_option, gw_pool_number.state, gw_pool_number.control_number, gw_pool_number.created_at, gw_pool_number.expires_at, gw_pool_number.asked_at, gw_pool_number.asked_times, gw_pool_number.changed_at, gw_pool_number.payment_record_id
FROM gw_pool_number WITH (UPDLOCK, READPAST, ROWLOCK, READCOMMITTEDLOCK)
WHERE gw_pool_number.state = 'asked' AND gw_pool_number.asked_at < :asked_at_1 AND gw_pool_number.asked_times BETWEEN :asked_times_1 AND :asked_times_2 ORDER BY gw_pool_number.asked_at;

-- SqlPool.asked
UPDATE gw_pool_number SET asked_at=:asked_at, asked_times=(gw_pool_number.asked_times + :asked_times_1) WHERE gw_pool_number.bill_id IN (:bill_id_1_1);

-- SqlPool.accepted
UPDATE gw_pool_number SET asked_at=:asked_at, asked_times=:asked_times WHERE gw_pool_number.bill_id IN (:bill_id_1_1, :bill_id_1_2, :bill_id_1_3) AND gw_pool_number.asked_times = :asked_times_1;

-- SqlPool.stale
SELECT TOP 9 gw_pool_number.bill_id, gw_pool_number.product_id, gw_pool_number.product_code, gw_pool_number.provider_code, gw_pool_number.amount_minor, gw_pool_number.currency, gw_pool_number.pay_option, gw_pool_number.state, gw_pool_number.control_number, gw_pool_number.created_at, gw_pool_number.expires_at, gw_pool_number.asked_at, gw_pool_number.asked_times, gw_pool_number.changed_at, gw_pool_number.payment_record_id
FROM gw_pool_number WITH (UPDLOCK, READPAST, ROWLOCK, READCOMMITTEDLOCK)
WHERE gw_pool_number.product_id = :product_id_1 AND gw_pool_number.state IN ('asked', 'ready') AND (gw_pool_number.expires_at < :expires_at_1 OR gw_pool_number.state = 'asked' AND gw_pool_number.created_at < :created_at_1 OR NOT (gw_pool_number.amount_minor = :amount_minor_1 AND gw_pool_number.currency = :currency_1 AND gw_pool_number.pay_option = :pay_option_1 AND EXISTS (SELECT gw_pool_number.provider_code INTERSECT SELECT NULL))) ORDER BY gw_pool_number.expires_at;
SELECT TOP 9 gw_pool_number.bill_id, gw_pool_number.product_id, gw_pool_number.product_code, gw_pool_number.provider_code, gw_pool_number.amount_minor, gw_pool_number.currency, gw_pool_number.pay_option, gw_pool_number.state, gw_pool_number.control_number, gw_pool_number.created_at, gw_pool_number.expires_at, gw_pool_number.asked_at, gw_pool_number.asked_times, gw_pool_number.changed_at, gw_pool_number.payment_record_id
FROM gw_pool_number WITH (UPDLOCK, READPAST, ROWLOCK, READCOMMITTEDLOCK)
WHERE gw_pool_number.product_id = :product_id_1 AND gw_pool_number.state IN ('asked', 'ready') AND (gw_pool_number.expires_at < :expires_at_1 OR gw_pool_number.state = 'asked' AND gw_pool_number.created_at < :created_at_1 OR NOT (gw_pool_number.amount_minor = :amount_minor_1 AND gw_pool_number.currency = :currency_1 AND gw_pool_number.pay_option = :pay_option_1 AND EXISTS (SELECT gw_pool_number.provider_code INTERSECT SELECT :provider_code_1))) ORDER BY gw_pool_number.expires_at;
SELECT TOP 9 gw_pool_number.bill_id, gw_pool_number.product_id, gw_pool_number.product_code, gw_pool_number.provider_code, gw_pool_number.amount_minor, gw_pool_number.currency, gw_pool_number.pay_option, gw_pool_number.state, gw_pool_number.control_number, gw_pool_number.created_at, gw_pool_number.expires_at, gw_pool_number.asked_at, gw_pool_number.asked_times, gw_pool_number.changed_at, gw_pool_number.payment_record_id
FROM gw_pool_number WITH (UPDLOCK, READPAST, ROWLOCK, READCOMMITTEDLOCK)
WHERE gw_pool_number.product_id = :product_id_1 AND gw_pool_number.state IN ('asked', 'ready') AND (gw_pool_number.expires_at < :expires_at_1 OR gw_pool_number.state = 'asked' AND gw_pool_number.created_at < :created_at_1) ORDER BY gw_pool_number.expires_at;

-- SqlPool.counts
SELECT gw_pool_number.product_code, gw_pool_number.state, count(*) AS count_1
FROM gw_pool_number GROUP BY gw_pool_number.product_code, gw_pool_number.state;
SELECT gw_pool_number.product_code, gw_pool_number.state, count(*) AS count_1
FROM gw_pool_number
WHERE gw_pool_number.state IN ('asked', 'ready') GROUP BY gw_pool_number.product_code, gw_pool_number.state;

-- SqlReconciliations.add_order
INSERT INTO gw_statement_order (request_id, provider, day, provider_code, asked_at) VALUES (:request_id, :provider, :day, :provider_code, :asked_at);

-- SqlReconciliations.order
SELECT gw_statement_order.request_id, gw_statement_order.provider, gw_statement_order.day, gw_statement_order.provider_code, gw_statement_order.asked_at
FROM gw_statement_order
WHERE gw_statement_order.request_id = :request_id_1 AND gw_statement_order.provider = :provider_1;
SELECT gw_statement_order.request_id, gw_statement_order.provider, gw_statement_order.day, gw_statement_order.provider_code, gw_statement_order.asked_at
FROM gw_statement_order WITH (UPDLOCK, ROWLOCK)
WHERE gw_statement_order.request_id = :request_id_1 AND gw_statement_order.provider = :provider_1;

-- SqlReconciliations.add_statement
INSERT INTO gw_statement (provider, day, about, provider_code, request_id, inbox_id, digest, [file], size, usable, how, taken_at, staged, position, lines, totals) SELECT :param_1 AS provider, :param_2 AS day, :param_3 AS about, :param_4 AS provider_code, :param_5 AS request_id, :param_6 AS inbox_id, :param_7 AS digest, :param_8 AS [file], :param_9 AS size, :param_10 AS usable, :param_11 AS how, :param_12 AS taken_at, :param_13 AS staged, :param_14 AS position, :param_15 AS lines, :param_16 AS totals
WHERE NOT (EXISTS (SELECT 1
FROM gw_statement WITH (UPDLOCK, HOLDLOCK)
WHERE gw_statement.provider = :provider_1 AND gw_statement.digest = :digest_1 AND gw_statement.about = :about_1));

-- SqlReconciliations.statement_of
SELECT gw_statement.id, gw_statement.provider, gw_statement.day, gw_statement.about, gw_statement.provider_code, gw_statement.request_id, gw_statement.inbox_id, gw_statement.digest, gw_statement.[file], gw_statement.size, gw_statement.usable, gw_statement.how, gw_statement.taken_at, gw_statement.staged, gw_statement.position, gw_statement.lines, gw_statement.totals
FROM gw_statement
WHERE gw_statement.provider = :provider_1 AND gw_statement.digest = :digest_1 AND gw_statement.about = :about_1;

-- SqlReconciliations.answers_to
SELECT gw_statement.id, gw_statement.provider, gw_statement.day, gw_statement.about, gw_statement.provider_code, gw_statement.request_id, gw_statement.inbox_id, gw_statement.digest, gw_statement.[file], gw_statement.size, gw_statement.usable, gw_statement.how, gw_statement.taken_at, gw_statement.staged, gw_statement.position, gw_statement.lines, gw_statement.totals
FROM gw_statement
WHERE gw_statement.provider = :provider_1 AND gw_statement.request_id = :request_id_1 ORDER BY gw_statement.id;

-- SqlReconciliations.statements
SELECT gw_statement.id, gw_statement.provider, gw_statement.day, gw_statement.about, gw_statement.provider_code, gw_statement.request_id, gw_statement.inbox_id, gw_statement.digest, gw_statement.[file], gw_statement.size, gw_statement.usable, gw_statement.how, gw_statement.taken_at, gw_statement.staged, gw_statement.position, gw_statement.lines, gw_statement.totals
FROM gw_statement
WHERE gw_statement.provider = :provider_1 AND gw_statement.day = :day_1 AND gw_statement.usable = :usable_1 ORDER BY gw_statement.id;

-- SqlReconciliations.stage
INSERT INTO gw_statement_line (statement_id, line, reference, control_number, amount_minor, currency, at_byte, bytes) VALUES (:statement_id, :line, :reference, :control_number, :amount_minor, :currency, :at_byte, :bytes);
INSERT INTO gw_statement_fault (statement_id, line, why) VALUES (:statement_id, :line, :why);
UPDATE gw_statement SET position=:position, lines=:lines, totals=:totals WHERE gw_statement.id = :id_1 AND gw_statement.position = :position_1 AND gw_statement.staged = :staged_1;

-- SqlReconciliations.finish_staging
UPDATE gw_statement SET staged=:staged WHERE gw_statement.id = :id_1;

-- SqlReconciliations.unstage
DELETE FROM gw_statement_line WHERE gw_statement_line.statement_id IN (:statement_id_1_1);
DELETE FROM gw_statement_fault WHERE gw_statement_fault.statement_id IN (:statement_id_1_1);
UPDATE gw_statement SET staged=:staged, position=:position, lines=:lines, totals=:totals WHERE gw_statement.id IN (:id_1_1);

-- SqlReconciliations.day
SELECT gw_reconciliation.id, gw_reconciliation.provider, gw_reconciliation.day, gw_reconciliation.report, gw_reconciliation.ran_at, gw_reconciliation.runner, gw_reconciliation.first_tried_at, gw_reconciliation.not_before, gw_reconciliation.closed_at, gw_reconciliation.closed_by, gw_reconciliation.closed_report
FROM gw_reconciliation WITH (UPDLOCK, ROWLOCK)
WHERE gw_reconciliation.provider = :provider_1 AND gw_reconciliation.day = :day_1;

-- SqlReconciliations.begin
INSERT INTO gw_reconciliation (provider, day) SELECT :param_1 AS provider, :param_2 AS day
WHERE NOT (EXISTS (SELECT 1
FROM gw_reconciliation WITH (UPDLOCK, HOLDLOCK)
WHERE gw_reconciliation.provider = :provider_1 AND gw_reconciliation.day = :day_1));
SELECT gw_reconciliation.id, gw_reconciliation.provider, gw_reconciliation.day, gw_reconciliation.report, gw_reconciliation.ran_at, gw_reconciliation.runner, gw_reconciliation.first_tried_at, gw_reconciliation.not_before, gw_reconciliation.closed_at, gw_reconciliation.closed_by, gw_reconciliation.closed_report
FROM gw_reconciliation WITH (UPDLOCK, ROWLOCK)
WHERE gw_reconciliation.provider = :provider_1 AND gw_reconciliation.day = :day_1;
UPDATE gw_reconciliation SET runner=:runner WHERE gw_reconciliation.id = :id_1;
DELETE FROM gw_difference WHERE gw_difference.reconciliation_id = :reconciliation_id_1;

-- SqlReconciliations.hold
SELECT gw_reconciliation.runner
FROM gw_reconciliation WITH (UPDLOCK, ROWLOCK)
WHERE gw_reconciliation.id = :id_1;

-- SqlReconciliations.find_suspects
INSERT INTO gw_difference (reconciliation_id, statement_id, line, kind, became, reference, control_number, amount_minor, currency, repeats, at_byte, bytes, why) SELECT :param_1 AS reconciliation_id, gw_statement_line.statement_id AS statement_id, gw_statement_line.line AS line, :param_2 AS kind, :param_3 AS became, gw_statement_line.reference AS reference, gw_statement_line.control_number AS control_number, gw_statement_line.amount_minor AS amount_minor, gw_statement_line.currency AS currency, CASE WHEN (twice.first < gw_statement_line.statement_id * :statement_id_1 + gw_statement_line.line) THEN :param_4 ELSE :param_5 END AS repeats, gw_statement_line.at_byte AS at_byte, gw_statement_line.bytes AS bytes, :param_6 AS why
FROM gw_statement_line LEFT OUTER JOIN gw_payment ON gw_payment.reference = gw_statement_line.reference AND gw_payment.control_number = gw_statement_line.control_number AND gw_payment.amount_minor = gw_statement_line.amount_minor AND gw_payment.currency = gw_statement_line.currency AND gw_payment.state IN (:state_1_1, :state_1_2, :state_1_3) AND (gw_payment.inbox_id NOT IN (SELECT gw_statement.inbox_id
FROM gw_statement)) AND gw_payment.provider = :provider_1 AND gw_payment.paid_at >= :paid_at_1 AND gw_payment.paid_at < :paid_at_2 LEFT OUTER JOIN (SELECT gw_statement_line.reference AS reference, gw_statement_line.control_number AS control_number, min(gw_statement_line.statement_id * :statement_id_1 + gw_statement_line.line) AS first
FROM gw_statement_line
WHERE gw_statement_line.statement_id IN (:statement_id_2_1) GROUP BY gw_statement_line.reference, gw_statement_line.control_number
HAVING count(*) > :count_1) AS twice ON twice.reference = gw_statement_line.reference AND twice.control_number = gw_statement_line.control_number
WHERE gw_statement_line.statement_id IN (:statement_id_2_1) AND (gw_payment.id IS NULL OR twice.first IS NOT NULL);

-- SqlReconciliations.suspects
SELECT TOP 10 gw_difference.id, gw_difference.reconciliation_id, gw_difference.statement_id, gw_difference.line, gw_difference.payment_id, gw_difference.kind, gw_difference.became, gw_difference.code, gw_difference.reference, gw_difference.control_number, gw_difference.amount_minor, gw_difference.currency, gw_difference.held_minor, gw_difference.held_currency, gw_difference.repeats, gw_difference.at_byte, gw_difference.bytes, gw_difference.why, gw_payment.id AS held_id, gw_payment.amount_minor AS is_minor, gw_payment.currency AS is_currency, gw_payment.state, gw_payment.receipt, CASE WHEN (gw_payment.inbox_id IN (SELECT gw_statement.inbox_id
FROM gw_statement)) THEN :param_2 ELSE :param_3 END AS from_statement, gw_case.kind AS case_kind, gw_entry.line AS booked_line
FROM gw_difference JOIN gw_statement ON gw_statement.id = gw_difference.statement_id LEFT OUTER JOIN gw_payment ON gw_payment.reference = gw_difference.reference AND gw_payment.control_number = gw_difference.control_number LEFT OUTER JOIN gw_case ON gw_case.subject = (:param_4 + gw_difference.reference + :param_5 + gw_difference.control_number) AND gw_case.kind IN (:kind_1_1, :kind_1_2, :kind_1_3, :kind_1_4, :kind_1_5, :kind_1_6, :kind_1_7, :kind_1_8, :kind_1_9, :kind_1_10, :kind_1_11, :kind_1_12, :kind_1_13, :kind_1_14, :kind_1_15, :kind_1_16, :kind_1_17, :kind_1_18, :kind_1_19, :kind_1_20) LEFT OUTER JOIN gw_entry ON gw_entry.inbox_id = gw_statement.inbox_id AND gw_entry.line = gw_difference.line
WHERE gw_difference.reconciliation_id = :reconciliation_id_1 AND gw_difference.id > :id_1 AND gw_difference.became = :became_1 ORDER BY gw_difference.id;

-- SqlReconciliations.same_number
SELECT suspect.id AS suspect_id, gw_payment.id AS held_id, gw_payment.reference, gw_payment.control_number, gw_payment.amount_minor AS is_minor, gw_payment.currency AS is_currency, gw_payment.state, gw_payment.receipt, CASE WHEN (gw_payment.inbox_id IN (SELECT gw_statement.inbox_id
FROM gw_statement)) THEN :param_1 ELSE :param_2 END AS from_statement, :param_3 AS case_kind
FROM gw_difference AS suspect JOIN gw_payment ON gw_payment.control_number = suspect.control_number AND gw_payment.amount_minor = suspect.amount_minor AND gw_payment.currency = suspect.currency
WHERE suspect.id IN (:id_1_1) AND gw_payment.receipt IS NOT NULL AND gw_payment.state != :state_1 AND NOT (EXISTS (SELECT gw_statement_line.line
FROM gw_statement_line
WHERE gw_statement_line.reference = gw_payment.reference AND gw_statement_line.control_number = gw_payment.control_number AND gw_statement_line.statement_id IN (:statement_id_1_1))) AND NOT (EXISTS (SELECT gw_difference.payment_id
FROM gw_difference
WHERE gw_difference.kind = :kind_1 AND gw_difference.payment_id = gw_payment.id AND gw_difference.statement_id IN (:statement_id_2_1))) ORDER BY suspect.id, gw_payment.id;

-- SqlReconciliations.judged
UPDATE gw_difference SET payment_id=:to_payment, kind=:to_kind, became=:to_became, code=:to_code, held_minor=:to_minor, held_currency=:to_currency, why=:to_why WHERE gw_difference.id = :of_id;
DELETE FROM gw_difference WHERE gw_difference.id IN (:id_1_1);

-- SqlReconciliations.book
INSERT INTO gw_entry (inbox_id, line, provider, kind, notice, state, received_at, not_before, attempts, note, updated_at) SELECT :param_1 AS inbox_id, :param_2 AS line, :param_3 AS provider, :param_4 AS kind, :param_5 AS notice, :param_6 AS state, :param_7 AS received_at, :param_8 AS not_before, :param_9 AS attempts, :param_10 AS note, :param_11 AS updated_at
WHERE NOT (EXISTS (SELECT 1
FROM gw_entry WITH (UPDLOCK, HOLDLOCK)
WHERE gw_entry.inbox_id = :inbox_id_1 AND gw_entry.line = :line_1));

-- SqlReconciliations.waiting
SELECT count(*) AS count_1
FROM gw_entry
WHERE gw_entry.inbox_id IN (:inbox_id_1_1) AND gw_entry.state = 'new';

-- SqlReconciliations.find_missing_there
INSERT INTO gw_difference (reconciliation_id, payment_id, kind, became, reference, control_number, held_minor, held_currency, repeats, why) SELECT :param_1 AS reconciliation_id, gw_payment.id AS payment_id, :param_2 AS kind, :param_3 AS became, gw_payment.reference AS reference, gw_payment.control_number AS control_number, gw_payment.amount_minor AS held_minor, gw_payment.currency AS held_currency, :param_4 AS repeats, :param_5 AS why
FROM gw_payment LEFT OUTER JOIN gw_statement_line ON gw_statement_line.reference = gw_payment.reference AND gw_statement_line.control_number = gw_payment.control_number AND gw_statement_line.statement_id IN (:statement_id_1_1)
WHERE gw_statement_line.line IS NULL AND gw_payment.provider = :provider_1 AND gw_payment.paid_at >= :paid_at_1 AND gw_payment.paid_at < :paid_at_2 AND gw_payment.state != :state_1 AND (gw_payment.id NOT IN (SELECT gw_difference.payment_id
FROM gw_difference
WHERE gw_difference.reconciliation_id = :reconciliation_id_1 AND gw_difference.kind = :kind_1));
INSERT INTO gw_difference (reconciliation_id, payment_id, kind, became, reference, control_number, held_minor, held_currency, repeats, why) SELECT :param_1 AS reconciliation_id, gw_payment.id AS payment_id, :param_2 AS kind, :param_3 AS became, gw_payment.reference AS reference, gw_payment.control_number AS control_number, gw_payment.amount_minor AS held_minor, gw_payment.currency AS held_currency, :param_4 AS repeats, :param_5 AS why
FROM gw_payment JOIN gw_bill ON gw_bill.id = gw_payment.bill_id LEFT OUTER JOIN gw_statement_line ON gw_statement_line.reference = gw_payment.reference AND gw_statement_line.control_number = gw_payment.control_number AND gw_statement_line.statement_id IN (:statement_id_1_1)
WHERE (gw_bill.provider_code IN (:provider_code_1_1) OR gw_bill.provider_code IS NULL) AND gw_statement_line.line IS NULL AND gw_payment.provider = :provider_1 AND gw_payment.paid_at >= :paid_at_1 AND gw_payment.paid_at < :paid_at_2 AND gw_payment.state != :state_1 AND (gw_payment.id NOT IN (SELECT gw_difference.payment_id
FROM gw_difference
WHERE gw_difference.reconciliation_id = :reconciliation_id_1 AND gw_difference.kind = :kind_1));

-- SqlReconciliations.find_faults
INSERT INTO gw_difference (reconciliation_id, statement_id, line, kind, became, reference, control_number, repeats, why) SELECT :param_1 AS reconciliation_id, gw_statement_fault.statement_id AS statement_id, gw_statement_fault.line AS line, :param_2 AS kind, :param_3 AS became, :param_4 AS reference, :param_5 AS control_number, :param_6 AS repeats, gw_statement_fault.why AS why
FROM gw_statement_fault
WHERE gw_statement_fault.statement_id IN (:statement_id_1_1);

-- SqlReconciliations.ours
SELECT gw_payment.currency, count(*) AS n, sum(gw_payment.amount_minor) AS minor
FROM gw_payment
WHERE gw_payment.provider = :provider_1 AND gw_payment.paid_at >= :paid_at_1 AND gw_payment.paid_at < :paid_at_2 AND gw_payment.state != :state_1 GROUP BY gw_payment.currency;
SELECT gw_payment.currency, count(*) AS n, sum(gw_payment.amount_minor) AS minor
FROM gw_payment JOIN gw_bill ON gw_bill.id = gw_payment.bill_id
WHERE (gw_bill.provider_code IN (:provider_code_1_1) OR gw_bill.provider_code IS NULL) AND gw_payment.provider = :provider_1 AND gw_payment.paid_at >= :paid_at_1 AND gw_payment.paid_at < :paid_at_2 AND gw_payment.state != :state_1 GROUP BY gw_payment.currency;

-- SqlReconciliations.tallies
SELECT gw_difference.kind, coalesce(gw_difference.currency, gw_difference.held_currency) AS currency, count(*) AS n, sum(coalesce(gw_difference.amount_minor, gw_difference.held_minor)) AS minor
FROM gw_difference
WHERE gw_difference.reconciliation_id = :reconciliation_id_1 GROUP BY gw_difference.kind, coalesce(gw_difference.currency, gw_difference.held_currency);

-- SqlReconciliations.differences
SELECT TOP 10 gw_difference.id, gw_difference.reconciliation_id, gw_difference.statement_id, gw_difference.line, gw_difference.payment_id, gw_difference.kind, gw_difference.became, gw_difference.code, gw_difference.reference, gw_difference.control_number, gw_difference.amount_minor, gw_difference.currency, gw_difference.held_minor, gw_difference.held_currency, gw_difference.repeats, gw_difference.at_byte, gw_difference.bytes, gw_difference.why
FROM gw_difference
WHERE gw_difference.reconciliation_id = :reconciliation_id_1 AND gw_difference.id > :id_1 ORDER BY gw_difference.id;

-- SqlReconciliations.finish
UPDATE gw_reconciliation SET report=:report, ran_at=:ran_at WHERE gw_reconciliation.id = :id_1;

-- SqlReconciliations.close
UPDATE gw_reconciliation SET closed_at=:closed_at, closed_by=:closed_by, closed_report=gw_reconciliation.report WHERE gw_reconciliation.id = :id_1;

-- SqlReconciliations.claim
INSERT INTO gw_reconciliation (provider, day, first_tried_at, not_before) SELECT :param_1 AS provider, :param_2 AS day, :param_3 AS first_tried_at, :param_4 AS not_before
WHERE NOT (EXISTS (SELECT 1
FROM gw_reconciliation WITH (UPDLOCK, HOLDLOCK)
WHERE gw_reconciliation.provider = :provider_1 AND gw_reconciliation.day = :day_1));
UPDATE gw_reconciliation SET first_tried_at=coalesce(gw_reconciliation.first_tried_at, :coalesce_1), not_before=:not_before WHERE gw_reconciliation.provider = :provider_1 AND gw_reconciliation.day = :day_1 AND gw_reconciliation.ran_at IS NULL AND (gw_reconciliation.not_before IS NULL OR gw_reconciliation.not_before <= :not_before_1);

-- SqlReconciliations.release
UPDATE gw_reconciliation SET not_before=:not_before WHERE gw_reconciliation.provider = :provider_1 AND gw_reconciliation.day = :day_1;

-- SqlReconciliations.closed_days
SELECT TOP 9 gw_reconciliation.id, gw_reconciliation.provider, gw_reconciliation.day, gw_reconciliation.report, gw_reconciliation.ran_at, gw_reconciliation.runner, gw_reconciliation.first_tried_at, gw_reconciliation.not_before, gw_reconciliation.closed_at, gw_reconciliation.closed_by, gw_reconciliation.closed_report
FROM gw_reconciliation
WHERE gw_reconciliation.closed_at IS NOT NULL ORDER BY gw_reconciliation.day DESC, gw_reconciliation.provider;

-- SqlReconciliations.late_payments
SELECT TOP 10 gw_payment.id, gw_payment.provider, gw_payment.paid_at, gw_payment.first_seen_at
FROM gw_payment
WHERE gw_payment.id > :id_1 AND gw_payment.paid_at < :paid_at_1 ORDER BY gw_payment.id;

-- SqlReconciliations.last_good_day
SELECT TOP 400 gw_reconciliation.id, gw_reconciliation.provider, gw_reconciliation.day, gw_reconciliation.report, gw_reconciliation.ran_at, gw_reconciliation.runner, gw_reconciliation.first_tried_at, gw_reconciliation.not_before, gw_reconciliation.closed_at, gw_reconciliation.closed_by, gw_reconciliation.closed_report
FROM gw_reconciliation
WHERE gw_reconciliation.provider = :provider_1 AND gw_reconciliation.ran_at IS NOT NULL ORDER BY gw_reconciliation.day DESC;

-- SqlRetention.due
SELECT count(*) AS count_1
FROM gw_outbox
WHERE gw_outbox.kind IN (:kind_1_1, :kind_1_2) AND (gw_outbox.state = :state_1 AND gw_outbox.done_at < :done_at_1 OR gw_outbox.state = :state_2 AND (EXISTS (SELECT gw_case.id
FROM gw_case
WHERE gw_case.kind = :kind_2 AND gw_case.subject = (:param_1 + CAST(gw_outbox.id AS VARCHAR(20))) AND gw_case.state = :state_3 AND gw_case.closed_at < :closed_at_1))) AND NOT (EXISTS (SELECT gw_bill.id
FROM gw_bill
WHERE (gw_outbox.aggregate LIKE :aggregate_1 + '%') AND gw_bill.id = substring(gw_outbox.aggregate, :substring_1, :substring_2) COLLATE DATABASE_DEFAULT AND gw_bill.expires_at >= :expires_at_1));
SELECT count(*) AS count_1
FROM gw_bill_requester
WHERE EXISTS (SELECT gw_bill.id
FROM gw_bill
WHERE gw_bill.id = gw_bill_requester.bill_id AND gw_bill.expires_at < :expires_at_1 AND (gw_bill.state NOT IN (:state_1_1, :state_1_2, :state_1_3)));
SELECT count(*) AS count_1
FROM gw_miss
WHERE gw_miss.hour < :hour_1;
SELECT count(*) AS count_1
FROM gw_caller
WHERE gw_caller.updated_at < :updated_at_1;
SELECT count(*) AS count_1
FROM gw_case
WHERE gw_case.state = :state_1 AND gw_case.closed_at < :closed_at_1 AND gw_case.kind = :kind_1;
SELECT count(*) AS count_1
FROM gw_inbox
WHERE gw_inbox.received_at < :received_at_1 AND NOT (gw_inbox.verdict = :verdict_1 OR (EXISTS (SELECT gw_entry.line
FROM gw_entry
WHERE gw_entry.inbox_id = gw_inbox.id))) AND NOT (EXISTS (SELECT gw_case.id
FROM gw_case
WHERE gw_case.inbox_id = gw_inbox.id AND gw_case.state != :state_1));
SELECT count(*) AS count_1
FROM gw_inbox
WHERE gw_inbox.received_at < :received_at_1 AND (gw_inbox.verdict = :verdict_1 OR (EXISTS (SELECT gw_entry.line
FROM gw_entry
WHERE gw_entry.inbox_id = gw_inbox.id))) AND NOT (EXISTS (SELECT gw_entry.line
FROM gw_entry
WHERE gw_entry.inbox_id = gw_inbox.id AND gw_entry.state = :state_1)) AND NOT (EXISTS (SELECT gw_case.id
FROM gw_case
WHERE gw_case.inbox_id = gw_inbox.id AND gw_case.state != :state_2));
SELECT count(*) AS count_1
FROM gw_bill
WHERE gw_bill.expires_at < :expires_at_1 AND (gw_bill.state NOT IN (:state_1_1, :state_1_2, :state_1_3)) AND (gw_bill.chfid != :chfid_1 OR gw_bill.payer_name != :payer_name_1) AND NOT (EXISTS (SELECT gw_case.id
FROM gw_case
WHERE gw_case.bill_id = gw_bill.id AND gw_case.state != :state_2));
SELECT count(*) AS count_1
FROM gw_case
WHERE gw_case.state = :state_1 AND gw_case.closed_at < :closed_at_1 AND gw_case.kind != :kind_1 AND (CAST(gw_case.details AS NVARCHAR(max)) != :param_1 OR gw_case.note IS NOT NULL);
SELECT count(*) AS count_1
FROM gw_statement
WHERE gw_statement.taken_at < :taken_at_1 AND gw_statement.[file] != :file_1 AND NOT (EXISTS (SELECT again.id
FROM gw_statement AS again
WHERE again.[file] = gw_statement.[file] AND again.taken_at >= :taken_at_2));

-- SqlRetention.keys
SELECT TOP 10 gw_outbox.id
FROM gw_outbox
WHERE gw_outbox.kind IN (:kind_1_1, :kind_1_2) AND (gw_outbox.state = :state_1 AND gw_outbox.done_at < :done_at_1 OR gw_outbox.state = :state_2 AND (EXISTS (SELECT gw_case.id
FROM gw_case
WHERE gw_case.kind = :kind_2 AND gw_case.subject = (:param_2 + CAST(gw_outbox.id AS VARCHAR(20))) AND gw_case.state = :state_3 AND gw_case.closed_at < :closed_at_1))) AND NOT (EXISTS (SELECT gw_bill.id
FROM gw_bill
WHERE (gw_outbox.aggregate LIKE :aggregate_1 + '%') AND gw_bill.id = substring(gw_outbox.aggregate, :substring_1, :substring_2) COLLATE DATABASE_DEFAULT AND gw_bill.expires_at >= :expires_at_1)) ORDER BY gw_outbox.id;
SELECT TOP 10 gw_outbox.id
FROM gw_outbox
WHERE gw_outbox.kind IN (:kind_1_1, :kind_1_2) AND (gw_outbox.state = :state_1 AND gw_outbox.done_at < :done_at_1 OR gw_outbox.state = :state_2 AND (EXISTS (SELECT gw_case.id
FROM gw_case
WHERE gw_case.kind = :kind_2 AND gw_case.subject = (:param_2 + CAST(gw_outbox.id AS VARCHAR(20))) AND gw_case.state = :state_3 AND gw_case.closed_at < :closed_at_1))) AND NOT (EXISTS (SELECT gw_bill.id
FROM gw_bill
WHERE (gw_outbox.aggregate LIKE :aggregate_1 + '%') AND gw_bill.id = substring(gw_outbox.aggregate, :substring_1, :substring_2) COLLATE DATABASE_DEFAULT AND gw_bill.expires_at >= :expires_at_1)) AND gw_outbox.id > :id_1 ORDER BY gw_outbox.id;
SELECT DISTINCT TOP 10 gw_bill_requester.bill_id
FROM gw_bill_requester
WHERE EXISTS (SELECT gw_bill.id
FROM gw_bill
WHERE gw_bill.id = gw_bill_requester.bill_id AND gw_bill.expires_at < :expires_at_1 AND (gw_bill.state NOT IN (:state_1_1, :state_1_2, :state_1_3))) ORDER BY gw_bill_requester.bill_id;
SELECT DISTINCT TOP 10 gw_bill_requester.bill_id
FROM gw_bill_requester
WHERE (EXISTS (SELECT gw_bill.id
FROM gw_bill
WHERE gw_bill.id = gw_bill_requester.bill_id AND gw_bill.expires_at < :expires_at_1 AND (gw_bill.state NOT IN (:state_1_1, :state_1_2, :state_1_3)))) AND gw_bill_requester.bill_id > :bill_id_1 ORDER BY gw_bill_requester.bill_id;
SELECT DISTINCT TOP 10 gw_miss.msisdn
FROM gw_miss
WHERE gw_miss.hour < :hour_1 ORDER BY gw_miss.msisdn;
SELECT DISTINCT TOP 10 gw_miss.msisdn
FROM gw_miss
WHERE gw_miss.hour < :hour_1 AND gw_miss.msisdn > :msisdn_1 ORDER BY gw_miss.msisdn;
SELECT TOP 10 gw_caller.msisdn
FROM gw_caller
WHERE gw_caller.updated_at < :updated_at_1 ORDER BY gw_caller.msisdn;
SELECT TOP 10 gw_caller.msisdn
FROM gw_caller
WHERE gw_caller.updated_at < :updated_at_1 AND gw_caller.msisdn > :msisdn_1 ORDER BY gw_caller.msisdn;
SELECT TOP 10 gw_case.id
FROM gw_case
WHERE gw_case.state = :state_1 AND gw_case.closed_at < :closed_at_1 AND gw_case.kind = :kind_1 ORDER BY gw_case.id;
SELECT TOP 10 gw_case.id
FROM gw_case
WHERE gw_case.state = :state_1 AND gw_case.closed_at < :closed_at_1 AND gw_case.kind = :kind_1 AND gw_case.id > :id_1 ORDER BY gw_case.id;
SELECT TOP 10 gw_inbox.id
FROM gw_inbox
WHERE gw_inbox.received_at < :received_at_1 AND NOT (gw_inbox.verdict = :verdict_1 OR (EXISTS (SELECT gw_entry.line
FROM gw_entry
WHERE gw_entry.inbox_id = gw_inbox.id))) AND NOT (EXISTS (SELECT gw_case.id
FROM gw_case
WHERE gw_case.inbox_id = gw_inbox.id AND gw_case.state != :state_1)) ORDER BY gw_inbox.id;
SELECT TOP 10 gw_inbox.id
FROM gw_inbox
WHERE gw_inbox.received_at < :received_at_1 AND NOT (gw_inbox.verdict = :verdict_1 OR (EXISTS (SELECT gw_entry.line
FROM gw_entry
WHERE gw_entry.inbox_id = gw_inbox.id))) AND NOT (EXISTS (SELECT gw_case.id
FROM gw_case
WHERE gw_case.inbox_id = gw_inbox.id AND gw_case.state != :state_1)) AND gw_inbox.id > :id_1 ORDER BY gw_inbox.id;
SELECT TOP 10 gw_inbox.id
FROM gw_inbox
WHERE gw_inbox.received_at < :received_at_1 AND (gw_inbox.verdict = :verdict_1 OR (EXISTS (SELECT gw_entry.line
FROM gw_entry
WHERE gw_entry.inbox_id = gw_inbox.id))) AND NOT (EXISTS (SELECT gw_entry.line
FROM gw_entry
WHERE gw_entry.inbox_id = gw_inbox.id AND gw_entry.state = :state_1)) AND NOT (EXISTS (SELECT gw_case.id
FROM gw_case
WHERE gw_case.inbox_id = gw_inbox.id AND gw_case.state != :state_2)) ORDER BY gw_inbox.id;
SELECT TOP 10 gw_inbox.id
FROM gw_inbox
WHERE gw_inbox.received_at < :received_at_1 AND (gw_inbox.verdict = :verdict_1 OR (EXISTS (SELECT gw_entry.line
FROM gw_entry
WHERE gw_entry.inbox_id = gw_inbox.id))) AND NOT (EXISTS (SELECT gw_entry.line
FROM gw_entry
WHERE gw_entry.inbox_id = gw_inbox.id AND gw_entry.state = :state_1)) AND NOT (EXISTS (SELECT gw_case.id
FROM gw_case
WHERE gw_case.inbox_id = gw_inbox.id AND gw_case.state != :state_2)) AND gw_inbox.id > :id_1 ORDER BY gw_inbox.id;
SELECT TOP 10 gw_bill.id
FROM gw_bill
WHERE gw_bill.expires_at < :expires_at_1 AND (gw_bill.state NOT IN (:state_1_1, :state_1_2, :state_1_3)) AND (gw_bill.chfid != :chfid_1 OR gw_bill.payer_name != :payer_name_1) AND NOT (EXISTS (SELECT gw_case.id
FROM gw_case
WHERE gw_case.bill_id = gw_bill.id AND gw_case.state != :state_2)) ORDER BY gw_bill.id;
SELECT TOP 10 gw_bill.id
FROM gw_bill
WHERE gw_bill.expires_at < :expires_at_1 AND (gw_bill.state NOT IN (:state_1_1, :state_1_2, :state_1_3)) AND (gw_bill.chfid != :chfid_1 OR gw_bill.payer_name != :payer_name_1) AND NOT (EXISTS (SELECT gw_case.id
FROM gw_case
WHERE gw_case.bill_id = gw_bill.id AND gw_case.state != :state_2)) AND gw_bill.id > :id_1 ORDER BY gw_bill.id;
SELECT TOP 10 gw_case.id
FROM gw_case
WHERE gw_case.state = :state_1 AND gw_case.closed_at < :closed_at_1 AND gw_case.kind != :kind_1 AND (CAST(gw_case.details AS NVARCHAR(max)) != :param_2 OR gw_case.note IS NOT NULL) ORDER BY gw_case.id;
SELECT TOP 10 gw_case.id
FROM gw_case
WHERE gw_case.state = :state_1 AND gw_case.closed_at < :closed_at_1 AND gw_case.kind != :kind_1 AND (CAST(gw_case.details AS NVARCHAR(max)) != :param_2 OR gw_case.note IS NOT NULL) AND gw_case.id > :id_1 ORDER BY gw_case.id;
SELECT TOP 10 gw_statement.id
FROM gw_statement
WHERE gw_statement.taken_at < :taken_at_1 AND gw_statement.[file] != :file_1 AND NOT (EXISTS (SELECT again.id
FROM gw_statement AS again
WHERE again.[file] = gw_statement.[file] AND again.taken_at >= :taken_at_2)) ORDER BY gw_statement.id;
SELECT TOP 10 gw_statement.id
FROM gw_statement
WHERE gw_statement.taken_at < :taken_at_1 AND gw_statement.[file] != :file_1 AND NOT (EXISTS (SELECT again.id
FROM gw_statement AS again
WHERE again.[file] = gw_statement.[file] AND again.taken_at >= :taken_at_2)) AND gw_statement.id > :id_1 ORDER BY gw_statement.id;

-- SqlRetention.take
DELETE FROM gw_outbox WHERE gw_outbox.id IN (NULL) AND (1 != 1) AND gw_outbox.kind IN (:kind_1_1, :kind_1_2) AND (gw_outbox.state = :state_1 AND gw_outbox.done_at < :done_at_1 OR gw_outbox.state = :state_2 AND (EXISTS (SELECT gw_case.id
FROM gw_case
WHERE gw_case.kind = :kind_2 AND gw_case.subject = (:param_1 + CAST(gw_outbox.id AS VARCHAR(20))) AND gw_case.state = :state_3 AND gw_case.closed_at < :closed_at_1))) AND NOT (EXISTS (SELECT gw_bill.id
FROM gw_bill
WHERE (gw_outbox.aggregate LIKE :aggregate_1 + '%') AND gw_bill.id = substring(gw_outbox.aggregate, :substring_1, :substring_2) COLLATE DATABASE_DEFAULT AND gw_bill.expires_at >= :expires_at_1));
DELETE FROM gw_bill_requester WHERE gw_bill_requester.bill_id IN (NULL) AND (1 != 1) AND (EXISTS (SELECT gw_bill.id
FROM gw_bill
WHERE gw_bill.id = gw_bill_requester.bill_id AND gw_bill.expires_at < :expires_at_1 AND (gw_bill.state NOT IN (:state_1_1, :state_1_2, :state_1_3))));
DELETE FROM gw_miss WHERE gw_miss.msisdn IN (NULL) AND (1 != 1) AND gw_miss.hour < :hour_1;
DELETE FROM gw_caller WHERE gw_caller.msisdn IN (NULL) AND (1 != 1) AND gw_caller.updated_at < :updated_at_1;
DELETE FROM gw_case WHERE gw_case.id IN (NULL) AND (1 != 1) AND gw_case.state = :state_1 AND gw_case.closed_at < :closed_at_1 AND gw_case.kind = :kind_1;
DELETE FROM gw_inbox WHERE gw_inbox.id IN (NULL) AND (1 != 1) AND gw_inbox.received_at < :received_at_1 AND NOT (gw_inbox.verdict = :verdict_1 OR (EXISTS (SELECT gw_entry.line
FROM gw_entry
WHERE gw_entry.inbox_id = gw_inbox.id))) AND NOT (EXISTS (SELECT gw_case.id
FROM gw_case
WHERE gw_case.inbox_id = gw_inbox.id AND gw_case.state != :state_1));
DELETE FROM gw_entry WHERE gw_entry.inbox_id IN (SELECT gw_inbox.id
FROM gw_inbox
WHERE gw_inbox.id IN (NULL) AND (1 != 1) AND gw_inbox.received_at < :received_at_1 AND (gw_inbox.verdict = :verdict_1 OR (EXISTS (SELECT gw_entry.line
FROM gw_entry
WHERE gw_entry.inbox_id = gw_inbox.id))) AND NOT (EXISTS (SELECT gw_entry.line
FROM gw_entry
WHERE gw_entry.inbox_id = gw_inbox.id AND gw_entry.state = :state_1)) AND NOT (EXISTS (SELECT gw_case.id
FROM gw_case
WHERE gw_case.inbox_id = gw_inbox.id AND gw_case.state != :state_2)));
DELETE FROM gw_inbox WHERE gw_inbox.id IN (NULL) AND (1 != 1) AND gw_inbox.received_at < :received_at_1 AND (gw_inbox.verdict = :verdict_1 OR (EXISTS (SELECT gw_entry.line
FROM gw_entry
WHERE gw_entry.inbox_id = gw_inbox.id))) AND NOT (EXISTS (SELECT gw_entry.line
FROM gw_entry
WHERE gw_entry.inbox_id = gw_inbox.id AND gw_entry.state = :state_1)) AND NOT (EXISTS (SELECT gw_case.id
FROM gw_case
WHERE gw_case.inbox_id = gw_inbox.id AND gw_case.state != :state_2));
UPDATE gw_bill SET chfid=:chfid, payer_name=:payer_name WHERE gw_bill.id IN (NULL) AND (1 != 1) AND gw_bill.expires_at < :expires_at_1 AND (gw_bill.state NOT IN (:state_1_1, :state_1_2, :state_1_3)) AND (gw_bill.chfid != :chfid_1 OR gw_bill.payer_name != :payer_name_1) AND NOT (EXISTS (SELECT gw_case.id
FROM gw_case
WHERE gw_case.bill_id = gw_bill.id AND gw_case.state != :state_2));
UPDATE gw_case SET details=:details, note=:note WHERE gw_case.id IN (NULL) AND (1 != 1) AND gw_case.state = :state_1 AND gw_case.closed_at < :closed_at_1 AND gw_case.kind != :kind_1 AND (CAST(gw_case.details AS NVARCHAR(max)) != :param_1 OR gw_case.note IS NOT NULL);
DELETE FROM gw_statement_fault WHERE gw_statement_fault.statement_id IN (SELECT gw_statement.id
FROM gw_statement
WHERE gw_statement.id IN (NULL) AND (1 != 1) AND gw_statement.taken_at < :taken_at_1 AND gw_statement.[file] != :file_1 AND NOT (EXISTS (SELECT again.id
FROM gw_statement AS again
WHERE again.[file] = gw_statement.[file] AND again.taken_at >= :taken_at_2)));
UPDATE gw_statement SET [file]=:file WHERE gw_statement.id IN (NULL) AND (1 != 1) AND gw_statement.taken_at < :taken_at_1 AND gw_statement.[file] != :file_1 AND NOT (EXISTS (SELECT again.id
FROM gw_statement AS again
WHERE again.[file] = gw_statement.[file] AND again.taken_at >= :taken_at_2));
DELETE FROM gw_miss WHERE gw_miss.msisdn IN (:msisdn_1_1) AND gw_miss.hour < :hour_1;

-- SqlRetention.files
SELECT DISTINCT gw_statement.[file]
FROM gw_statement
WHERE gw_statement.id IN (:id_1_1) AND gw_statement.taken_at < :taken_at_1 AND gw_statement.[file] != :file_1 AND NOT (EXISTS (SELECT again.id
FROM gw_statement AS again
WHERE again.[file] = gw_statement.[file] AND again.taken_at >= :taken_at_2));

-- SqlScreens.add
INSERT INTO gw_screen_writer (writer, batch, day) SELECT :param_1 AS writer, :param_2 AS batch, :param_3 AS day
WHERE NOT (EXISTS (SELECT 1
FROM gw_screen_writer WITH (UPDLOCK, HOLDLOCK)
WHERE gw_screen_writer.writer = :writer_1));
UPDATE gw_screen_writer SET batch=:batch, day=:day WHERE gw_screen_writer.writer = :writer_1 AND gw_screen_writer.batch < :batch_1;
UPDATE gw_screen_day WITH (UPDLOCK, HOLDLOCK) SET count=(gw_screen_day.count + :count_1) WHERE gw_screen_day.day = :day_1 AND gw_screen_day.channel = :channel_1 AND gw_screen_day.menu = :menu_1 AND gw_screen_day.screen = :screen_1 AND gw_screen_day.missed = :missed_1 AND gw_screen_day.event = :event_1;
INSERT INTO gw_screen_day (day, channel, menu, screen, missed, event, count) VALUES (:day, :channel, :menu, :screen, :missed, :event, :count);

-- SqlScreens.between
SELECT gw_screen_day.channel, gw_screen_day.menu, gw_screen_day.screen, gw_screen_day.missed, gw_screen_day.event, sum(gw_screen_day.count) AS sum_1
FROM gw_screen_day
WHERE gw_screen_day.day BETWEEN :day_1 AND :day_2 GROUP BY gw_screen_day.channel, gw_screen_day.menu, gw_screen_day.screen, gw_screen_day.missed, gw_screen_day.event ORDER BY gw_screen_day.channel, gw_screen_day.menu, gw_screen_day.screen, gw_screen_day.missed, gw_screen_day.event;
SELECT gw_screen_day.channel, gw_screen_day.menu, gw_screen_day.screen, gw_screen_day.missed, gw_screen_day.event, sum(gw_screen_day.count) AS sum_1
FROM gw_screen_day
WHERE gw_screen_day.day BETWEEN :day_1 AND :day_2 AND gw_screen_day.menu = :menu_1 GROUP BY gw_screen_day.channel, gw_screen_day.menu, gw_screen_day.screen, gw_screen_day.missed, gw_screen_day.event ORDER BY gw_screen_day.channel, gw_screen_day.menu, gw_screen_day.screen, gw_screen_day.missed, gw_screen_day.event;
SELECT gw_screen_day.channel, gw_screen_day.menu, gw_screen_day.screen, gw_screen_day.missed, gw_screen_day.event, sum(gw_screen_day.count) AS sum_1
FROM gw_screen_day
WHERE gw_screen_day.day BETWEEN :day_1 AND :day_2 AND gw_screen_day.channel = :channel_1 GROUP BY gw_screen_day.channel, gw_screen_day.menu, gw_screen_day.screen, gw_screen_day.missed, gw_screen_day.event ORDER BY gw_screen_day.channel, gw_screen_day.menu, gw_screen_day.screen, gw_screen_day.missed, gw_screen_day.event;

-- SqlScreens.forget
DELETE FROM gw_screen_writer WHERE gw_screen_writer.day < :day_1;
DELETE FROM gw_screen_day WHERE gw_screen_day.day < :day_1;

-- migrations
CREATE TABLE gw_audit (
    id BIGINT NOT NULL IDENTITY,
    at DATETIME2(6) NOT NULL,
    actor NVARCHAR(60) COLLATE Latin1_General_100_BIN2 NOT NULL,
    action VARCHAR(60) NOT NULL,
    subject NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
    details NVARCHAR(max) NOT NULL,
    CONSTRAINT pk_gw_audit PRIMARY KEY (id)
);
CREATE TABLE gw_audit_seal (
    seq BIGINT NOT NULL,
    audit_id BIGINT NOT NULL,
    previous VARCHAR(64) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    sealed_at DATETIME2(6) NOT NULL,
    CONSTRAINT pk_gw_audit_seal PRIMARY KEY (seq),
    CONSTRAINT uq_gw_audit_seal_audit_id UNIQUE (audit_id)
);
CREATE TABLE gw_bill (
    id VARCHAR(40) NOT NULL,
    [key] VARCHAR(120) NOT NULL,
    generation INTEGER NOT NULL,
    family_id INTEGER NOT NULL,
    product_id INTEGER NOT NULL,
    product_code NVARCHAR(8) COLLATE Latin1_General_100_BIN2 NOT NULL,
    preceding_policy_id INTEGER NULL,
    stage VARCHAR(1) NOT NULL,
    chfid NVARCHAR(50) COLLATE Latin1_General_100_BIN2 NOT NULL,
    payer_name NVARCHAR(210) COLLATE Latin1_General_100_BIN2 NOT NULL,
    amount_minor BIGINT NOT NULL,
    policy_value_minor BIGINT NOT NULL,
    paid_minor BIGINT NOT NULL,
    currency VARCHAR(3) NOT NULL,
    pay_option SMALLINT NOT NULL,
    provider_code NVARCHAR(25) COLLATE Latin1_General_100_BIN2 NULL,
    state VARCHAR(12) NOT NULL,
    control_number NVARCHAR(50) COLLATE Latin1_General_100_BIN2 NULL,
    created_at DATETIME2(6) NOT NULL,
    expires_at DATETIME2(6) NOT NULL,
    asked_at DATETIME2(6) NOT NULL,
    asked_times INTEGER NOT NULL,
    payment_record_id BIGINT NULL,
    CONSTRAINT pk_gw_bill PRIMARY KEY (id),
    CONSTRAINT uq_gw_bill_key_generation UNIQUE ([key], generation)
);
CREATE UNIQUE INDEX uq_gw_bill_control_number ON gw_bill (control_number) WHERE control_number IS NOT NULL;
CREATE INDEX ix_gw_bill_family_id ON gw_bill (family_id);
CREATE INDEX ix_gw_bill_silent ON gw_bill (asked_at) WHERE state IN ('created', 'submitted');
CREATE TABLE gw_bill_fact (
    id BIGINT NOT NULL IDENTITY,
    bill_id VARCHAR(40) NOT NULL,
    fact VARCHAR(12) NOT NULL,
    at DATETIME2(6) NOT NULL,
    details NVARCHAR(max) NOT NULL,
    CONSTRAINT pk_gw_bill_fact PRIMARY KEY (id)
);
CREATE INDEX ix_gw_bill_fact_bill_id ON gw_bill_fact (bill_id);
CREATE TABLE gw_bill_requester (
    bill_id VARCHAR(40) NOT NULL,
    msisdn VARCHAR(16) NOT NULL,
    language VARCHAR(5) NOT NULL,
    at DATETIME2(6) NOT NULL,
    CONSTRAINT pk_gw_bill_requester PRIMARY KEY (bill_id, msisdn)
);
CREATE TABLE gw_caller (
    msisdn VARCHAR(16) NOT NULL,
    language VARCHAR(5) NOT NULL,
    updated_at DATETIME2(6) NOT NULL,
    CONSTRAINT pk_gw_caller PRIMARY KEY (msisdn)
);
CREATE TABLE gw_case (
    id BIGINT NOT NULL IDENTITY,
    kind VARCHAR(30) NOT NULL,
    subject NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
    provider VARCHAR(30) NULL,
    inbox_id VARCHAR(40) NULL,
    bill_id VARCHAR(40) NULL,
    amount_minor BIGINT NULL,
    currency VARCHAR(3) NULL,
    details NVARCHAR(max) NOT NULL,
    state VARCHAR(8) NOT NULL,
    opened_at DATETIME2(6) NOT NULL,
    closed_at DATETIME2(6) NULL,
    CONSTRAINT pk_gw_case PRIMARY KEY (id),
    CONSTRAINT uq_gw_case_kind_subject UNIQUE (kind, subject)
);
CREATE INDEX ix_gw_case_state ON gw_case (state);
CREATE TABLE gw_entry (
    inbox_id VARCHAR(40) NOT NULL,
    line INTEGER NOT NULL,
    provider VARCHAR(30) NOT NULL,
    kind VARCHAR(30) NOT NULL,
    notice NVARCHAR(max) NOT NULL,
    state VARCHAR(12) NOT NULL,
    received_at DATETIME2(6) NOT NULL,
    not_before DATETIME2(6) NOT NULL,
    attempts INTEGER NOT NULL,
    bill_id VARCHAR(40) NULL,
    note NVARCHAR(max) NOT NULL,
    updated_at DATETIME2(6) NOT NULL,
    CONSTRAINT pk_gw_entry PRIMARY KEY (inbox_id, line)
);
CREATE INDEX ix_gw_entry_new ON gw_entry (not_before) WHERE state = 'new';
CREATE TABLE gw_inbox (
    id VARCHAR(40) NOT NULL,
    provider VARCHAR(30) NOT NULL,
    route VARCHAR(30) NOT NULL,
    received_at DATETIME2(6) NOT NULL,
    body VARBINARY(max) NOT NULL,
    size BIGINT NOT NULL,
    headers NVARCHAR(max) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    verdict VARCHAR(16) NOT NULL,
    why NVARCHAR(max) NOT NULL,
    message_id NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NULL,
    reply_status SMALLINT NOT NULL,
    CONSTRAINT pk_gw_inbox PRIMARY KEY (id)
);
CREATE INDEX ix_gw_inbox_received_at ON gw_inbox (received_at);
CREATE TABLE gw_miss (
    msisdn VARCHAR(16) NOT NULL,
    hour DATETIME2(6) NOT NULL,
    count INTEGER NOT NULL,
    CONSTRAINT pk_gw_miss PRIMARY KEY (msisdn, hour)
);
CREATE TABLE gw_outbox (
    id BIGINT NOT NULL IDENTITY,
    kind VARCHAR(30) NOT NULL,
    dedupe_key NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
    aggregate NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
    payload NVARCHAR(max) NOT NULL,
    priority SMALLINT NOT NULL,
    channel VARCHAR(30) NOT NULL,
    state VARCHAR(8) NOT NULL,
    not_before DATETIME2(6) NOT NULL,
    attempts INTEGER NOT NULL,
    lease_token VARCHAR(40) NULL,
    lease_until DATETIME2(6) NULL,
    last_outcome NVARCHAR(max) NULL,
    created_at DATETIME2(6) NOT NULL,
    done_at DATETIME2(6) NULL,
    CONSTRAINT pk_gw_outbox PRIMARY KEY (id),
    CONSTRAINT uq_gw_outbox_dedupe_key UNIQUE (dedupe_key)
);
CREATE INDEX ix_gw_outbox_due ON gw_outbox (channel, priority, id) WHERE state = 'todo';
CREATE INDEX ix_gw_outbox_leased ON gw_outbox (lease_until) WHERE state = 'leased';
CREATE INDEX ix_gw_outbox_open ON gw_outbox (state) WHERE state != 'done';
CREATE TABLE gw_payment (
    id BIGINT NOT NULL IDENTITY,
    reference NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
    control_number NVARCHAR(50) COLLATE Latin1_General_100_BIN2 NOT NULL,
    digest VARCHAR(64) NOT NULL,
    provider VARCHAR(30) NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency VARCHAR(3) NOT NULL,
    paid_at DATETIME2(6) NOT NULL,
    receipt NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NULL,
    state VARCHAR(12) NOT NULL,
    inbox_id VARCHAR(40) NOT NULL,
    bill_id VARCHAR(40) NULL,
    premium_id BIGINT NULL,
    first_seen_at DATETIME2(6) NOT NULL,
    updated_at DATETIME2(6) NOT NULL,
    CONSTRAINT pk_gw_payment PRIMARY KEY (id),
    CONSTRAINT uq_gw_payment_reference_control_number UNIQUE (reference, control_number)
);
CREATE INDEX ix_gw_payment_bill_id ON gw_payment (bill_id);
CREATE INDEX ix_gw_payment_control_number ON gw_payment (control_number);
CREATE TABLE gw_phone (
    insuree_id INTEGER NOT NULL,
    family_id INTEGER NOT NULL,
    msisdn VARCHAR(16) NOT NULL,
    CONSTRAINT pk_gw_phone PRIMARY KEY (insuree_id)
);
CREATE INDEX ix_gw_phone_msisdn ON gw_phone (msisdn);
CREATE TABLE gw_watermark (
    name VARCHAR(40) NOT NULL,
    at DATETIME2(6) NOT NULL,
    CONSTRAINT pk_gw_watermark PRIMARY KEY (name)
);
CREATE TABLE gw_place (
    name VARCHAR(40) NOT NULL,
    followed BIGINT NOT NULL,
    seen BIGINT NOT NULL,
    seen_at DATETIME2(6) NOT NULL,
    CONSTRAINT pk_gw_place PRIMARY KEY (name)
);
CREATE TABLE gw_policy_event (
    policy_id BIGINT NOT NULL,
    kind VARCHAR(12) NOT NULL,
    family_id INTEGER NOT NULL,
    origin VARCHAR(12) NOT NULL,
    day DATE NOT NULL,
    at DATETIME2(6) NOT NULL,
    CONSTRAINT pk_gw_policy_event PRIMARY KEY (policy_id, kind)
);
CREATE INDEX ix_gw_policy_event_at ON gw_policy_event (at);
ALTER TABLE gw_case ADD act VARCHAR(10) NULL;
ALTER TABLE gw_case ADD closed_by NVARCHAR(60) COLLATE Latin1_General_100_BIN2 NULL;
ALTER TABLE gw_case ADD note NVARCHAR(max) NULL;
CREATE TABLE gw_statement_order (
    request_id VARCHAR(40) NOT NULL,
    provider VARCHAR(30) NOT NULL,
    day DATE NOT NULL,
    provider_code NVARCHAR(25) COLLATE Latin1_General_100_BIN2 NULL,
    asked_at DATETIME2(6) NOT NULL,
    CONSTRAINT pk_gw_statement_order PRIMARY KEY (request_id)
);
CREATE TABLE gw_statement (
    id BIGINT NOT NULL IDENTITY,
    provider VARCHAR(30) NOT NULL,
    day DATE NULL,
    about VARCHAR(10) NOT NULL,
    provider_code NVARCHAR(25) COLLATE Latin1_General_100_BIN2 NULL,
    request_id NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NULL,
    inbox_id VARCHAR(40) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    [file] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NOT NULL,
    size BIGINT NOT NULL,
    usable SMALLINT NOT NULL,
    how NVARCHAR(max) NOT NULL,
    taken_at DATETIME2(6) NOT NULL,
    staged SMALLINT NOT NULL,
    position BIGINT NOT NULL,
    lines INTEGER NOT NULL,
    totals NVARCHAR(max) NOT NULL,
    CONSTRAINT pk_gw_statement PRIMARY KEY (id),
    CONSTRAINT uq_gw_statement_inbox_id UNIQUE (inbox_id),
    CONSTRAINT uq_gw_statement_provider_digest_about UNIQUE (provider, digest, about)
);
CREATE INDEX ix_gw_statement_day ON gw_statement (provider, day);
CREATE TABLE gw_statement_line (
    statement_id BIGINT NOT NULL,
    line INTEGER NOT NULL,
    reference NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
    control_number NVARCHAR(50) COLLATE Latin1_General_100_BIN2 NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency VARCHAR(3) NOT NULL,
    at_byte BIGINT NOT NULL,
    bytes INTEGER NOT NULL
);
CREATE INDEX ix_gw_statement_line_key ON gw_statement_line (statement_id, reference, control_number);
CREATE TABLE gw_statement_fault (
    statement_id BIGINT NOT NULL,
    line INTEGER NOT NULL,
    why NVARCHAR(max) NOT NULL,
    CONSTRAINT pk_gw_statement_fault PRIMARY KEY (statement_id, line)
);
CREATE TABLE gw_reconciliation (
    id BIGINT NOT NULL IDENTITY,
    provider VARCHAR(30) NOT NULL,
    day DATE NOT NULL,
    report NVARCHAR(max) NULL,
    ran_at DATETIME2(6) NULL,
    runner VARCHAR(40) NULL,
    first_tried_at DATETIME2(6) NULL,
    not_before DATETIME2(6) NULL,
    closed_at DATETIME2(6) NULL,
    closed_by NVARCHAR(60) COLLATE Latin1_General_100_BIN2 NULL,
    closed_report NVARCHAR(max) NULL,
    CONSTRAINT pk_gw_reconciliation PRIMARY KEY (id),
    CONSTRAINT uq_gw_reconciliation_provider_day UNIQUE (provider, day)
);
CREATE TABLE gw_difference (
    id BIGINT NOT NULL IDENTITY,
    reconciliation_id BIGINT NOT NULL,
    statement_id BIGINT NULL,
    line INTEGER NULL,
    payment_id BIGINT NULL,
    kind VARCHAR(20) NOT NULL,
    became VARCHAR(10) NOT NULL,
    code VARCHAR(24) NULL,
    reference NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
    control_number NVARCHAR(50) COLLATE Latin1_General_100_BIN2 NOT NULL,
    amount_minor BIGINT NULL,
    currency VARCHAR(3) NULL,
    held_minor BIGINT NULL,
    held_currency VARCHAR(3) NULL,
    repeats SMALLINT NOT NULL,
    at_byte BIGINT NULL,
    bytes INTEGER NULL,
    why NVARCHAR(max) NOT NULL,
    CONSTRAINT pk_gw_difference PRIMARY KEY (id)
);
CREATE INDEX ix_gw_difference_reconciliation_id ON gw_difference (reconciliation_id, id);
CREATE INDEX ix_gw_payment_provider_paid_at ON gw_payment (provider, paid_at);
ALTER TABLE gw_bill ADD reuses NVARCHAR(50) COLLATE Latin1_General_100_BIN2 NULL;
CREATE INDEX ix_gw_bill_life ON gw_bill (expires_at) WHERE state IN ('created', 'submitted', 'numbered');
CREATE TABLE gw_pool_number (
    bill_id VARCHAR(40) NOT NULL,
    product_id INTEGER NOT NULL,
    product_code NVARCHAR(8) COLLATE Latin1_General_100_BIN2 NOT NULL,
    provider_code NVARCHAR(25) COLLATE Latin1_General_100_BIN2 NULL,
    amount_minor BIGINT NOT NULL,
    currency VARCHAR(3) NOT NULL,
    pay_option SMALLINT NOT NULL,
    state VARCHAR(12) NOT NULL,
    control_number NVARCHAR(50) COLLATE Latin1_General_100_BIN2 NULL,
    created_at DATETIME2(6) NOT NULL,
    expires_at DATETIME2(6) NOT NULL,
    asked_at DATETIME2(6) NOT NULL,
    asked_times INTEGER NOT NULL,
    changed_at DATETIME2(6) NOT NULL,
    payment_record_id BIGINT NULL,
    CONSTRAINT pk_gw_pool_number PRIMARY KEY (bill_id)
);
CREATE UNIQUE INDEX uq_gw_pool_number_control_number ON gw_pool_number (control_number) WHERE control_number IS NOT NULL;
CREATE INDEX ix_gw_pool_number_open ON gw_pool_number (product_id, state, expires_at) WHERE state IN ('asked', 'ready');
ALTER TABLE gw_bill ADD issuer VARCHAR(30) NULL;
UPDATE gw_bill SET issuer = (
    SELECT MIN(gw_entry.provider) FROM gw_entry
    WHERE gw_entry.bill_id = gw_bill.id AND gw_entry.kind = 'control_number' AND gw_entry.state = 'settled'
)
WHERE control_number IS NOT NULL;
CREATE INDEX ix_gw_inbox_notice ON gw_inbox (message_id) WHERE route = 'notice';
CREATE TABLE gw_phone_report (
    id VARCHAR(40) NOT NULL,
    msisdn VARCHAR(16) NOT NULL,
    family_id INTEGER NOT NULL,
    says VARCHAR(10) NOT NULL,
    at DATETIME2(6) NOT NULL,
    CONSTRAINT pk_gw_phone_report PRIMARY KEY (id),
    CONSTRAINT uq_gw_phone_report_msisdn_family_id_says UNIQUE (msisdn, family_id, says)
);
CREATE TABLE gw_officer_phone (
    officer_id INTEGER NOT NULL,
    msisdn VARCHAR(16) NOT NULL,
    CONSTRAINT pk_gw_officer_phone PRIMARY KEY (officer_id)
);
CREATE INDEX ix_gw_officer_phone_msisdn ON gw_officer_phone (msisdn);
ALTER TABLE gw_bill_requester ADD officer BIT NULL;
CREATE TABLE gw_screen_day (
    day DATE NOT NULL,
    channel VARCHAR(31) NOT NULL,
    menu VARCHAR(60) NOT NULL,
    screen VARCHAR(60) NOT NULL,
    missed VARCHAR(40) NOT NULL,
    event VARCHAR(10) NOT NULL,
    count BIGINT NOT NULL,
    CONSTRAINT pk_gw_screen_day PRIMARY KEY (day, channel, menu, screen, missed, event)
);
CREATE TABLE gw_screen_writer (
    writer VARCHAR(32) NOT NULL,
    batch BIGINT NOT NULL,
    day DATE NOT NULL,
    CONSTRAINT pk_gw_screen_writer PRIMARY KEY (writer)
);

-- upgrade, for the role gw_app
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_audit" FROM "gw_app";
GRANT SELECT, INSERT ON "gw_audit" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_audit_seal" FROM "gw_app";
GRANT SELECT, INSERT ON "gw_audit_seal" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_bill" FROM "gw_app";
GRANT SELECT, INSERT, UPDATE, DELETE ON "gw_bill" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_bill_fact" FROM "gw_app";
GRANT SELECT, INSERT ON "gw_bill_fact" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_bill_requester" FROM "gw_app";
GRANT SELECT, INSERT, UPDATE, DELETE ON "gw_bill_requester" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_caller" FROM "gw_app";
GRANT SELECT, INSERT, UPDATE, DELETE ON "gw_caller" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_case" FROM "gw_app";
GRANT SELECT, INSERT, UPDATE, DELETE ON "gw_case" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_difference" FROM "gw_app";
GRANT SELECT, INSERT, UPDATE, DELETE ON "gw_difference" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_entry" FROM "gw_app";
GRANT SELECT, INSERT, UPDATE, DELETE ON "gw_entry" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_inbox" FROM "gw_app";
GRANT SELECT, INSERT ON "gw_inbox" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_miss" FROM "gw_app";
GRANT SELECT, INSERT, UPDATE, DELETE ON "gw_miss" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_officer_phone" FROM "gw_app";
GRANT SELECT, INSERT, UPDATE, DELETE ON "gw_officer_phone" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_outbox" FROM "gw_app";
GRANT SELECT, INSERT, UPDATE, DELETE ON "gw_outbox" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_payment" FROM "gw_app";
GRANT SELECT, INSERT, UPDATE, DELETE ON "gw_payment" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_phone" FROM "gw_app";
GRANT SELECT, INSERT, UPDATE, DELETE ON "gw_phone" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_phone_report" FROM "gw_app";
GRANT SELECT, INSERT, UPDATE, DELETE ON "gw_phone_report" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_place" FROM "gw_app";
GRANT SELECT, INSERT, UPDATE, DELETE ON "gw_place" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_policy_event" FROM "gw_app";
GRANT SELECT, INSERT, UPDATE, DELETE ON "gw_policy_event" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_pool_number" FROM "gw_app";
GRANT SELECT, INSERT, UPDATE, DELETE ON "gw_pool_number" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_reconciliation" FROM "gw_app";
GRANT SELECT, INSERT, UPDATE, DELETE ON "gw_reconciliation" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_screen_day" FROM "gw_app";
GRANT SELECT, INSERT, UPDATE, DELETE ON "gw_screen_day" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_screen_writer" FROM "gw_app";
GRANT SELECT, INSERT, UPDATE, DELETE ON "gw_screen_writer" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_statement" FROM "gw_app";
GRANT SELECT, INSERT, UPDATE, DELETE ON "gw_statement" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_statement_fault" FROM "gw_app";
GRANT SELECT, INSERT, UPDATE, DELETE ON "gw_statement_fault" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_statement_line" FROM "gw_app";
GRANT SELECT, INSERT, UPDATE, DELETE ON "gw_statement_line" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_statement_order" FROM "gw_app";
GRANT SELECT, INSERT, UPDATE, DELETE ON "gw_statement_order" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_watermark" FROM "gw_app";
GRANT SELECT, INSERT, UPDATE, DELETE ON "gw_watermark" TO "gw_app";
GRANT SELECT ON "gw_schema_version" TO "gw_app";

-- upgrade, for the role gw_purge
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_audit" FROM "gw_purge";
GRANT INSERT ON "gw_audit" TO "gw_purge";
GRANT SELECT ("id") ON "gw_audit" TO "gw_purge";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_audit_seal" FROM "gw_purge";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_bill" FROM "gw_purge";
GRANT SELECT ON "gw_bill" TO "gw_purge";
GRANT UPDATE ("chfid", "payer_name") ON "gw_bill" TO "gw_purge";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_bill_fact" FROM "gw_purge";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_bill_requester" FROM "gw_purge";
GRANT DELETE ON "gw_bill_requester" TO "gw_purge";
GRANT SELECT ON "gw_bill_requester" TO "gw_purge";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_caller" FROM "gw_purge";
GRANT DELETE ON "gw_caller" TO "gw_purge";
GRANT SELECT ON "gw_caller" TO "gw_purge";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_case" FROM "gw_purge";
GRANT DELETE ON "gw_case" TO "gw_purge";
GRANT SELECT ON "gw_case" TO "gw_purge";
GRANT UPDATE ("details", "note") ON "gw_case" TO "gw_purge";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_difference" FROM "gw_purge";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_entry" FROM "gw_purge";
GRANT DELETE ON "gw_entry" TO "gw_purge";
GRANT SELECT ON "gw_entry" TO "gw_purge";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_inbox" FROM "gw_purge";
GRANT DELETE ON "gw_inbox" TO "gw_purge";
GRANT SELECT ON "gw_inbox" TO "gw_purge";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_miss" FROM "gw_purge";
GRANT DELETE ON "gw_miss" TO "gw_purge";
GRANT SELECT ON "gw_miss" TO "gw_purge";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_officer_phone" FROM "gw_purge";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_outbox" FROM "gw_purge";
GRANT DELETE ON "gw_outbox" TO "gw_purge";
GRANT SELECT ON "gw_outbox" TO "gw_purge";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_payment" FROM "gw_purge";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_phone" FROM "gw_purge";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_phone_report" FROM "gw_purge";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_place" FROM "gw_purge";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_policy_event" FROM "gw_purge";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_pool_number" FROM "gw_purge";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_reconciliation" FROM "gw_purge";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_screen_day" FROM "gw_purge";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_screen_writer" FROM "gw_purge";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_statement" FROM "gw_purge";
GRANT SELECT ON "gw_statement" TO "gw_purge";
GRANT UPDATE ("file") ON "gw_statement" TO "gw_purge";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_statement_fault" FROM "gw_purge";
GRANT DELETE ON "gw_statement_fault" TO "gw_purge";
GRANT SELECT ON "gw_statement_fault" TO "gw_purge";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_statement_line" FROM "gw_purge";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_statement_order" FROM "gw_purge";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_watermark" FROM "gw_purge";
GRANT INSERT ON "gw_watermark" TO "gw_purge";
GRANT SELECT ON "gw_watermark" TO "gw_purge";
GRANT UPDATE ON "gw_watermark" TO "gw_purge";
GRANT SELECT ON "gw_schema_version" TO "gw_purge";
