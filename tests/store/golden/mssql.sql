-- SqlAudit.add
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
SELECT gw_bill.id, gw_bill.[key], gw_bill.generation, gw_bill.family_id, gw_bill.product_id, gw_bill.product_code, gw_bill.preceding_policy_id, gw_bill.stage, gw_bill.chfid, gw_bill.payer_name, gw_bill.amount_minor, gw_bill.policy_value_minor, gw_bill.paid_minor, gw_bill.currency, gw_bill.pay_option, gw_bill.provider_code, gw_bill.state, gw_bill.control_number, gw_bill.created_at, gw_bill.expires_at, gw_bill.asked_at, gw_bill.asked_times, gw_bill.payment_record_id, gw_bill.reuses
FROM gw_bill
WHERE gw_bill.id = :bill_id;
SELECT gw_bill.id, gw_bill.[key], gw_bill.generation, gw_bill.family_id, gw_bill.product_id, gw_bill.product_code, gw_bill.preceding_policy_id, gw_bill.stage, gw_bill.chfid, gw_bill.payer_name, gw_bill.amount_minor, gw_bill.policy_value_minor, gw_bill.paid_minor, gw_bill.currency, gw_bill.pay_option, gw_bill.provider_code, gw_bill.state, gw_bill.control_number, gw_bill.created_at, gw_bill.expires_at, gw_bill.asked_at, gw_bill.asked_times, gw_bill.payment_record_id, gw_bill.reuses
FROM gw_bill WITH (UPDLOCK, ROWLOCK)
WHERE gw_bill.id = :bill_id;

-- SqlBills.by_control_number
SELECT gw_bill.id, gw_bill.[key], gw_bill.generation, gw_bill.family_id, gw_bill.product_id, gw_bill.product_code, gw_bill.preceding_policy_id, gw_bill.stage, gw_bill.chfid, gw_bill.payer_name, gw_bill.amount_minor, gw_bill.policy_value_minor, gw_bill.paid_minor, gw_bill.currency, gw_bill.pay_option, gw_bill.provider_code, gw_bill.state, gw_bill.control_number, gw_bill.created_at, gw_bill.expires_at, gw_bill.asked_at, gw_bill.asked_times, gw_bill.payment_record_id, gw_bill.reuses
FROM gw_bill
WHERE gw_bill.control_number = :number;
SELECT gw_bill.id, gw_bill.[key], gw_bill.generation, gw_bill.family_id, gw_bill.product_id, gw_bill.product_code, gw_bill.preceding_policy_id, gw_bill.stage, gw_bill.chfid, gw_bill.payer_name, gw_bill.amount_minor, gw_bill.policy_value_minor, gw_bill.paid_minor, gw_bill.currency, gw_bill.pay_option, gw_bill.provider_code, gw_bill.state, gw_bill.control_number, gw_bill.created_at, gw_bill.expires_at, gw_bill.asked_at, gw_bill.asked_times, gw_bill.payment_record_id, gw_bill.reuses
FROM gw_bill WITH (UPDLOCK, ROWLOCK)
WHERE gw_bill.control_number = :number;

-- SqlBills.latest
SELECT TOP 1 gw_bill.id, gw_bill.[key], gw_bill.generation, gw_bill.family_id, gw_bill.product_id, gw_bill.product_code, gw_bill.preceding_policy_id, gw_bill.stage, gw_bill.chfid, gw_bill.payer_name, gw_bill.amount_minor, gw_bill.policy_value_minor, gw_bill.paid_minor, gw_bill.currency, gw_bill.pay_option, gw_bill.provider_code, gw_bill.state, gw_bill.control_number, gw_bill.created_at, gw_bill.expires_at, gw_bill.asked_at, gw_bill.asked_times, gw_bill.payment_record_id, gw_bill.reuses
FROM gw_bill
WHERE gw_bill.[key] = :key_1 ORDER BY gw_bill.generation DESC;
SELECT TOP 1 gw_bill.id, gw_bill.[key], gw_bill.generation, gw_bill.family_id, gw_bill.product_id, gw_bill.product_code, gw_bill.preceding_policy_id, gw_bill.stage, gw_bill.chfid, gw_bill.payer_name, gw_bill.amount_minor, gw_bill.policy_value_minor, gw_bill.paid_minor, gw_bill.currency, gw_bill.pay_option, gw_bill.provider_code, gw_bill.state, gw_bill.control_number, gw_bill.created_at, gw_bill.expires_at, gw_bill.asked_at, gw_bill.asked_times, gw_bill.payment_record_id, gw_bill.reuses
FROM gw_bill WITH (UPDLOCK, ROWLOCK)
WHERE gw_bill.[key] = :key_1 ORDER BY gw_bill.generation DESC;

-- SqlBills.open_for
SELECT TOP 1 gw_bill.id, gw_bill.[key], gw_bill.generation, gw_bill.family_id, gw_bill.product_id, gw_bill.product_code, gw_bill.preceding_policy_id, gw_bill.stage, gw_bill.chfid, gw_bill.payer_name, gw_bill.amount_minor, gw_bill.policy_value_minor, gw_bill.paid_minor, gw_bill.currency, gw_bill.pay_option, gw_bill.provider_code, gw_bill.state, gw_bill.control_number, gw_bill.created_at, gw_bill.expires_at, gw_bill.asked_at, gw_bill.asked_times, gw_bill.payment_record_id, gw_bill.reuses
FROM gw_bill
WHERE gw_bill.family_id = :family_id_1 AND gw_bill.state IN (:state_1_1, :state_1_2, :state_1_3, :state_1_4) AND gw_bill.expires_at > :expires_at_1 ORDER BY gw_bill.created_at DESC;

-- SqlBills.payable
SELECT gw_bill.id, gw_bill.[key], gw_bill.generation, gw_bill.family_id, gw_bill.product_id, gw_bill.product_code, gw_bill.preceding_policy_id, gw_bill.stage, gw_bill.chfid, gw_bill.payer_name, gw_bill.amount_minor, gw_bill.policy_value_minor, gw_bill.paid_minor, gw_bill.currency, gw_bill.pay_option, gw_bill.provider_code, gw_bill.state, gw_bill.control_number, gw_bill.created_at, gw_bill.expires_at, gw_bill.asked_at, gw_bill.asked_times, gw_bill.payment_record_id, gw_bill.reuses
FROM gw_bill
WHERE gw_bill.family_id IN (:family_id_1_1, :family_id_1_2) AND gw_bill.state IN (:state_1_1, :state_1_2, :state_1_3, :state_1_4) AND gw_bill.expires_at > :expires_at_1;

-- SqlBills.part_paid_records
SELECT gw_bill.payment_record_id
FROM gw_bill
WHERE gw_bill.family_id = :family_id_1 AND gw_bill.product_id = :product_id_1 AND gw_bill.payment_record_id IS NOT NULL AND gw_bill.paid_minor > :paid_minor_1 AND gw_bill.paid_minor < gw_bill.amount_minor;

-- SqlBills.add
INSERT INTO gw_bill (id, [key], generation, family_id, product_id, product_code, preceding_policy_id, stage, chfid, payer_name, amount_minor, policy_value_minor, paid_minor, currency, pay_option, provider_code, state, control_number, created_at, expires_at, asked_at, asked_times, payment_record_id, reuses) SELECT :param_1 AS id, :param_2 AS [key], :param_3 AS generation, :param_4 AS family_id, :param_5 AS product_id, :param_6 AS product_code, :param_7 AS preceding_policy_id, :param_8 AS stage, :param_9 AS chfid, :param_10 AS payer_name, :param_11 AS amount_minor, :param_12 AS policy_value_minor, :param_13 AS paid_minor, :param_14 AS currency, :param_15 AS pay_option, :param_16 AS provider_code, :param_17 AS state, :param_18 AS control_number, :param_19 AS created_at, :param_20 AS expires_at, :param_21 AS asked_at, :param_22 AS asked_times, :param_23 AS payment_record_id, :param_24 AS reuses
WHERE NOT (EXISTS (SELECT 1
FROM gw_bill WITH (UPDLOCK, HOLDLOCK)
WHERE gw_bill.[key] = :key_1 AND gw_bill.generation = :generation_1));

-- SqlBills.record
INSERT INTO gw_bill_fact (bill_id, fact, at, details) OUTPUT inserted.id VALUES (:bill_id, :fact, :at, :details);
UPDATE gw_bill SET paid_minor=:paid_minor, state=:state, control_number=:control_number, payment_record_id=:payment_record_id, reuses=:reuses WHERE gw_bill.id = :known_id;

-- SqlBills.asked
UPDATE gw_bill SET asked_at=:asked_at, asked_times=:asked_times WHERE gw_bill.id = :id_1;

-- SqlBills.ask_once_more
UPDATE gw_bill SET asked_at=:asked_at, asked_times=(gw_bill.asked_times + :asked_times_1) OUTPUT inserted.asked_times WHERE gw_bill.id = :id_1 AND gw_bill.state IN ('created', 'submitted') AND gw_bill.asked_at < :asked_at_1;

-- SqlBills.facts
SELECT gw_bill_fact.fact, gw_bill_fact.details
FROM gw_bill_fact
WHERE gw_bill_fact.bill_id = :bill_id_1 ORDER BY gw_bill_fact.id;

-- SqlBills.past_life
SELECT TOP 10 gw_bill.id, gw_bill.[key], gw_bill.generation, gw_bill.family_id, gw_bill.product_id, gw_bill.product_code, gw_bill.preceding_policy_id, gw_bill.stage, gw_bill.chfid, gw_bill.payer_name, gw_bill.amount_minor, gw_bill.policy_value_minor, gw_bill.paid_minor, gw_bill.currency, gw_bill.pay_option, gw_bill.provider_code, gw_bill.state, gw_bill.control_number, gw_bill.created_at, gw_bill.expires_at, gw_bill.asked_at, gw_bill.asked_times, gw_bill.payment_record_id, gw_bill.reuses
FROM gw_bill WITH (UPDLOCK, READPAST, ROWLOCK, READCOMMITTEDLOCK)
WHERE gw_bill.state IN ('created', 'submitted', 'numbered') AND gw_bill.expires_at <= :expires_at_1 ORDER BY gw_bill.expires_at;

-- SqlBills.add_requester
UPDATE gw_bill_requester WITH (UPDLOCK, HOLDLOCK) SET language=:language WHERE gw_bill_requester.bill_id = :bill_id_1 AND gw_bill_requester.msisdn = :msisdn_1;
INSERT INTO gw_bill_requester (bill_id, msisdn, language, at) VALUES (:bill_id, :msisdn, :language, :at);

-- SqlBills.requesters
SELECT gw_bill_requester.msisdn, gw_bill_requester.language
FROM gw_bill_requester
WHERE gw_bill_requester.bill_id = :bill_id_1 ORDER BY gw_bill_requester.at;

-- SqlBills.numbers
SELECT gw_bill.id, gw_bill.[key], gw_bill.generation, gw_bill.family_id, gw_bill.product_id, gw_bill.product_code, gw_bill.preceding_policy_id, gw_bill.stage, gw_bill.chfid, gw_bill.payer_name, gw_bill.amount_minor, gw_bill.policy_value_minor, gw_bill.paid_minor, gw_bill.currency, gw_bill.pay_option, gw_bill.provider_code, gw_bill.state, gw_bill.control_number, gw_bill.created_at, gw_bill.expires_at, gw_bill.asked_at, gw_bill.asked_times, gw_bill.payment_record_id, gw_bill.reuses
FROM gw_bill
WHERE gw_bill.id IN (:id_1_1, :id_1_2, :id_1_3) AND (gw_bill.state NOT IN (:state_1_1, :state_1_2));

-- SqlBills.silent
SELECT TOP 10 gw_bill.id, gw_bill.[key], gw_bill.generation, gw_bill.family_id, gw_bill.product_id, gw_bill.product_code, gw_bill.preceding_policy_id, gw_bill.stage, gw_bill.chfid, gw_bill.payer_name, gw_bill.amount_minor, gw_bill.policy_value_minor, gw_bill.paid_minor, gw_bill.currency, gw_bill.pay_option, gw_bill.provider_code, gw_bill.state, gw_bill.control_number, gw_bill.created_at, gw_bill.expires_at, gw_bill.asked_at, gw_bill.asked_times, gw_bill.payment_record_id, gw_bill.reuses
FROM gw_bill WITH (UPDLOCK, READPAST, ROWLOCK, READCOMMITTEDLOCK)
WHERE gw_bill.state IN ('created', 'submitted') AND gw_bill.asked_at < :asked_at_1 AND gw_bill.asked_times <= :asked_times_1 ORDER BY gw_bill.asked_at;

-- SqlCallers.known
SELECT gw_phone.msisdn, gw_phone.insuree_id, NULL AS language
FROM gw_phone
WHERE gw_phone.msisdn IN (:msisdns_1, :msisdns_2) UNION ALL SELECT gw_caller.msisdn, NULL AS insuree_id, gw_caller.language
FROM gw_caller
WHERE gw_caller.msisdn IN (:msisdns_1, :msisdns_2);
SELECT gw_phone.msisdn, gw_phone.insuree_id, NULL AS language
FROM gw_phone
WHERE gw_phone.msisdn IN (NULL) AND (1 != 1) UNION ALL SELECT gw_caller.msisdn, NULL AS insuree_id, gw_caller.language
FROM gw_caller
WHERE gw_caller.msisdn IN (NULL) AND (1 != 1);

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

-- SqlInbox.postpone
UPDATE gw_entry SET not_before=:not_before, attempts=(gw_entry.attempts + :attempts_1), note=:note, updated_at=:updated_at WHERE gw_entry.inbox_id = :inbox_id_1 AND gw_entry.line = :line_1 AND gw_entry.state = :state_1;

-- SqlInbox.entries_of
SELECT gw_entry.inbox_id, gw_entry.line, gw_entry.provider, gw_entry.kind, gw_entry.notice, gw_entry.state, gw_entry.received_at, gw_entry.not_before, gw_entry.attempts, gw_entry.bill_id, gw_entry.note, gw_entry.updated_at
FROM gw_entry
WHERE gw_entry.inbox_id = :inbox_id_1 ORDER BY gw_entry.line;

-- SqlPayments.first_report
INSERT INTO gw_payment (reference, control_number, digest, provider, amount_minor, currency, paid_at, receipt, state, inbox_id, first_seen_at, updated_at) SELECT :param_1 AS reference, :param_2 AS control_number, :param_3 AS digest, :param_4 AS provider, :param_5 AS amount_minor, :param_6 AS currency, :param_7 AS paid_at, :param_8 AS receipt, :param_9 AS state, :param_10 AS inbox_id, :param_11 AS first_seen_at, :param_12 AS updated_at
WHERE NOT (EXISTS (SELECT 1
FROM gw_payment WITH (UPDLOCK, HOLDLOCK)
WHERE gw_payment.reference = :reference_1 AND gw_payment.control_number = :control_number_1));
SELECT gw_payment.id, gw_payment.digest, gw_payment.state
FROM gw_payment
WHERE gw_payment.reference = :reference_1 AND gw_payment.control_number = :control_number_1;

-- SqlPayments.mark
UPDATE gw_payment SET state=:state, bill_id=:bill_id, premium_id=:premium_id, updated_at=:updated_at WHERE gw_payment.reference = :of_reference AND gw_payment.control_number = :of_number;

-- SqlOutbox.put
INSERT INTO gw_outbox (kind, dedupe_key, aggregate, payload, priority, channel, state, not_before, attempts, created_at) SELECT :param_1 AS kind, :param_2 AS dedupe_key, :param_3 AS aggregate, :param_4 AS payload, :param_5 AS priority, :param_6 AS channel, :param_7 AS state, :param_8 AS not_before, :param_9 AS attempts, :param_10 AS created_at
WHERE NOT (EXISTS (SELECT 1
FROM gw_outbox WITH (UPDLOCK, HOLDLOCK)
WHERE gw_outbox.dedupe_key = :dedupe_key_1));

-- SqlOutbox.due
SELECT 1
WHERE (EXISTS (SELECT gw_outbox.id
FROM gw_outbox
WHERE gw_outbox.channel = :channel_1 AND gw_outbox.state = 'todo' AND gw_outbox.not_before <= :not_before_1 AND gw_outbox.kind IN (:kind_1_1, :kind_1_2, :kind_1_3, :kind_1_4, :kind_1_5, :kind_1_6))) OR (EXISTS (SELECT gw_outbox.id
FROM gw_outbox
WHERE gw_outbox.state = 'leased' AND gw_outbox.lease_until < :lease_until_1));

-- SqlOutbox.lease
UPDATE gw_outbox SET state=:state, lease_token=:lease_token WHERE gw_outbox.state = 'leased' AND gw_outbox.lease_until < :lease_until_1;
WITH due AS
(SELECT TOP 3 gw_outbox.id AS id
FROM gw_outbox WITH (UPDLOCK, READPAST, ROWLOCK, READCOMMITTEDLOCK)
WHERE gw_outbox.channel = :channel_1 AND gw_outbox.state = 'todo' AND gw_outbox.not_before <= :not_before_1 AND gw_outbox.kind IN (:kind_1_1, :kind_1_2, :kind_1_3, :kind_1_4, :kind_1_5, :kind_1_6) ORDER BY gw_outbox.priority, gw_outbox.id)
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
WHERE gw_pool_number.control_number = :control_number_1;

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
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_entry" FROM "gw_app";
GRANT SELECT, INSERT, UPDATE, DELETE ON "gw_entry" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_inbox" FROM "gw_app";
GRANT SELECT, INSERT ON "gw_inbox" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_miss" FROM "gw_app";
GRANT SELECT, INSERT, UPDATE, DELETE ON "gw_miss" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_outbox" FROM "gw_app";
GRANT SELECT, INSERT, UPDATE, DELETE ON "gw_outbox" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_payment" FROM "gw_app";
GRANT SELECT, INSERT, UPDATE, DELETE ON "gw_payment" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_phone" FROM "gw_app";
GRANT SELECT, INSERT, UPDATE, DELETE ON "gw_phone" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_place" FROM "gw_app";
GRANT SELECT, INSERT, UPDATE, DELETE ON "gw_place" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_policy_event" FROM "gw_app";
GRANT SELECT, INSERT, UPDATE, DELETE ON "gw_policy_event" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_pool_number" FROM "gw_app";
GRANT SELECT, INSERT, UPDATE, DELETE ON "gw_pool_number" TO "gw_app";
REVOKE SELECT, INSERT, UPDATE, DELETE, REFERENCES ON "gw_watermark" FROM "gw_app";
GRANT SELECT, INSERT, UPDATE, DELETE ON "gw_watermark" TO "gw_app";
GRANT SELECT ON "gw_schema_version" TO "gw_app";
