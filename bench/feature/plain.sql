-- The features of dunning.features(:'at') in plain SQL: aggregates with FILTER and windows, each table read once, invoices aggregated once.
-- True for the bench's book alone: payments name their invoice, come after it and do not exceed it; one currency a debtor; days are UTC's.
CREATE UNLOGGED TABLE plain AS
WITH paid AS (
    SELECT p.debtor_id, p.invoice_id, sum(p.amount) AS paid, max(p.paid_at) AS last_paid, count(*) AS parts, sum(p.amount) FILTER (WHERE p.paid_at < :'at'::timestamptz - interval '30 days') AS paid_before
    FROM dunning.payment p WHERE p.paid_at < :'at' GROUP BY p.debtor_id, p.invoice_id),
item AS (
    SELECT i.debtor_id, i.invoice_id, i.currency, i.issued_on, i.due_on, i.amount::float8 AS amount, (i.amount - coalesce(p.paid, 0))::float8 AS rest, i.disputed_at < :'at' AS disputed,
        coalesce(p.parts > 1 OR p.paid < i.amount, false) AS partial, p.parts IS NOT NULL AS touched,
        CASE WHEN p.paid >= i.amount THEN (p.last_paid AT TIME ZONE 'UTC')::date END AS settled_on, CASE WHEN p.paid >= i.amount THEN p.last_paid END AS settled_at,
        CASE WHEN i.issued_on < (:'at'::timestamptz - interval '30 days')::date AND i.due_on < (:'at'::timestamptz - interval '30 days')::date THEN (i.amount - coalesce(p.paid_before, 0))::float8 ELSE 0 END AS overdue_before,
        :'at'::date - i.due_on AS dpd
    FROM dunning.invoice i LEFT JOIN paid p ON p.debtor_id = i.debtor_id AND p.invoice_id = i.invoice_id
    WHERE i.issued_on < :'at'::date),
contact AS (
    SELECT e.debtor_id, e.message_id, e.channel, e.contact_on, (e.contact_on AT TIME ZONE 'UTC')::date AS day, e.address_digest,
        CASE WHEN e.channel IN ('email', 'sms', 'letter', 'call') THEN e.channel ELSE 'other' END AS by
    FROM dunning.egress e WHERE NOT e.test AND e.contact_on < :'at'),
reminded AS (
    SELECT i.debtor_id, i.invoice_id, count(*) AS reminders FROM item i JOIN contact c ON c.debtor_id = i.debtor_id AND c.day > i.due_on AND c.contact_on < i.settled_at GROUP BY 1, 2),
numbered AS (
    SELECT i.*, coalesce(r.reminders, 0) AS reminders, CASE WHEN i.settled_on IS NOT NULL THEN greatest(i.settled_on - i.due_on, 0)::float8 END AS late, (i.settled_on - i.due_on)::float8 AS gap,
        row_number() OVER (PARTITION BY i.debtor_id ORDER BY i.settled_at DESC NULLS LAST) AS back, count(i.settled_at) OVER (PARTITION BY i.debtor_id) AS settled
    FROM item i LEFT JOIN reminded r ON r.debtor_id = i.debtor_id AND r.invoice_id = i.invoice_id),
account AS (
    SELECT i.debtor_id, min(i.currency) AS currency, count(*) AS n_invoices, count(i.settled_on) AS n_paid, count(*) FILTER (WHERE i.late > 0) AS n_late, count(*) FILTER (WHERE i.rest > 0) AS n_open,
        count(*) FILTER (WHERE i.rest > 0 AND i.dpd > 0) AS n_overdue, sum(i.amount) AS amount_billed, coalesce(sum(i.amount) FILTER (WHERE i.settled_on IS NOT NULL), 0) AS amount_paid,
        sum(i.rest) AS amount_open, coalesce(sum(i.rest) FILTER (WHERE i.dpd > 0), 0) AS amount_overdue, coalesce(sum(i.rest) FILTER (WHERE i.dpd <= 0), 0) AS dpd_0,
        coalesce(sum(i.rest) FILTER (WHERE i.dpd BETWEEN 1 AND 30), 0) AS dpd_1_30, coalesce(sum(i.rest) FILTER (WHERE i.dpd BETWEEN 31 AND 60), 0) AS dpd_31_60,
        coalesce(sum(i.rest) FILTER (WHERE i.dpd BETWEEN 61 AND 90), 0) AS dpd_61_90, coalesce(sum(i.rest) FILTER (WHERE i.dpd > 90), 0) AS dpd_over_90,
        greatest(max(i.dpd) FILTER (WHERE i.rest > 0), 0) AS days_past_due, greatest(max(i.dpd - 30) FILTER (WHERE i.overdue_before > 0), 0) AS dpd_before, sum(i.overdue_before) AS overdue_before,
        :'at'::date - max(i.issued_on) AS days_since_invoice, :'at'::date - min(i.issued_on) AS tenure_days, sum(i.late) AS sum_late, max(i.late) AS max_late,
        sum(i.amount) FILTER (WHERE i.late > 0) AS late_amount, avg(i.late) FILTER (WHERE i.back <= 3) AS avg_late_3, max(i.late) FILTER (WHERE i.back = 1) AS last_late,
        sum(i.late * CASE WHEN i.back = i.settled THEN 1 ELSE 0.3 END * 0.7 ^ (i.back - 1)) AS ewma_late, count(*) FILTER (WHERE i.partial) AS n_partial, count(*) FILTER (WHERE i.touched) AS n_touched,
        sum(i.gap) AS sum_gap, avg(i.gap) FILTER (WHERE i.back <= 3) AS gap_3, sum(i.gap * CASE WHEN i.back = i.settled THEN 1 ELSE 0.3 END * 0.7 ^ (i.back - 1)) AS ewma_gap, stddev_samp(i.gap) AS gap_sd, avg(i.settled_on - i.issued_on) AS days_to_pay,
        avg(i.amount) AS amount_mean, count(*) FILTER (WHERE i.disputed) AS n_disputed, count(*) FILTER (WHERE i.settled_on IS NOT NULL AND i.reminders = 0) AS r0,
        count(*) FILTER (WHERE i.settled_on IS NOT NULL AND i.reminders = 1) AS r1, count(*) FILTER (WHERE i.settled_on IS NOT NULL AND i.reminders = 2) AS r2,
        count(*) FILTER (WHERE i.settled_on IS NOT NULL AND i.reminders >= 3) AS r3
    FROM numbered i GROUP BY i.debtor_id),
pay AS (SELECT p.debtor_id, p.amount::float8 AS amount, p.paid_at, (p.paid_at AT TIME ZONE 'UTC')::date AS day FROM dunning.payment p WHERE p.paid_at < :'at'),
payment AS (
    SELECT p.debtor_id, count(*) AS n, max(p.day) AS last_day, count(*) FILTER (WHERE p.paid_at >= :'at'::timestamptz - interval '90 days') AS n_90d, avg(p.amount) AS mean,
        count(*) FILTER (WHERE extract(day FROM p.day + 3) <= 3) AS month_end,
        ARRAY[count(*) FILTER (WHERE extract(isodow FROM p.day) = 1), count(*) FILTER (WHERE extract(isodow FROM p.day) = 2), count(*) FILTER (WHERE extract(isodow FROM p.day) = 3),
              count(*) FILTER (WHERE extract(isodow FROM p.day) = 4), count(*) FILTER (WHERE extract(isodow FROM p.day) = 5), count(*) FILTER (WHERE extract(isodow FROM p.day) = 6),
              count(*) FILTER (WHERE extract(isodow FROM p.day) = 7)] AS weekdays
    FROM pay p GROUP BY p.debtor_id),
hourly AS (
    SELECT DISTINCT ON (h.debtor_id) h.debtor_id, h.hour, h.n
    FROM (SELECT p.debtor_id, (extract(isodow FROM p.paid_at AT TIME ZONE 'UTC')::int - 1) * 24 + extract(hour FROM p.paid_at AT TIME ZONE 'UTC')::int AS hour, count(*) AS n FROM pay p GROUP BY 1, 2) h
    ORDER BY h.debtor_id, h.n DESC, h.hour),
payday AS (
    SELECT DISTINCT ON (w.debtor_id) w.debtor_id, w.n, w.day
    FROM (SELECT g.debtor_id, g.day, sum(g.n) OVER (PARTITION BY g.debtor_id ORDER BY g.day RANGE BETWEEN CURRENT ROW AND 2 FOLLOWING) AS n
          FROM (SELECT p.debtor_id, extract(day FROM p.day)::int AS day, count(*) AS n FROM pay p GROUP BY 1, 2) g) w
    ORDER BY w.debtor_id, w.n DESC, w.day),
contacts AS (
    SELECT c.debtor_id, floor(extract(epoch FROM :'at' - max(c.contact_on)) / 86400)::int AS days_since_contact, (array_agg(c.address_digest ORDER BY c.contact_on DESC))[1] AS address,
        count(*) FILTER (WHERE w) AS contacts_7d, count(*) FILTER (WHERE m) AS contacts_30d,
        count(*) FILTER (WHERE w AND c.by = 'email') AS contacts_email_7d, count(*) FILTER (WHERE w AND c.by = 'sms') AS contacts_sms_7d, count(*) FILTER (WHERE w AND c.by = 'letter') AS contacts_letter_7d,
        count(*) FILTER (WHERE w AND c.by = 'call') AS contacts_call_7d, count(*) FILTER (WHERE w AND c.by = 'other') AS contacts_other_7d,
        count(*) FILTER (WHERE m AND c.by = 'email') AS contacts_email_30d, count(*) FILTER (WHERE m AND c.by = 'sms') AS contacts_sms_30d, count(*) FILTER (WHERE m AND c.by = 'letter') AS contacts_letter_30d,
        count(*) FILTER (WHERE m AND c.by = 'call') AS contacts_call_30d, count(*) FILTER (WHERE m AND c.by = 'other') AS contacts_other_30d
    FROM (SELECT c.*, c.contact_on >= :'at'::timestamptz - interval '7 days' AS w, c.contact_on >= :'at'::timestamptz - interval '30 days' AS m FROM contact c) c GROUP BY c.debtor_id),
address AS (SELECT c.debtor_id, c.address_digest, min(c.contact_on) AS first_on FROM contact c GROUP BY 1, 2),
came AS (
    SELECT e.debtor_id, e.message_id, greatest(e.at, e.recorded_at) AS at, c.by, e.kind IN ('bounced', 'failed') AS bounced,
        e.kind IN ('delivered', 'opened', 'clicked', 'replied', 'conversation', 'called_in', 'promised') AS reached,
        e.kind IN ('clicked', 'replied', 'conversation', 'called_in', 'promised', 'disputed', 'circumstances_changed', 'paid_elsewhere') AS response
    FROM dunning.event e JOIN contact c ON c.debtor_id = e.debtor_id AND c.message_id = e.message_id WHERE greatest(e.at, e.recorded_at) < :'at' AND e.detail ->> 'machine' IS DISTINCT FROM 'true'),
answers AS (
    SELECT g.debtor_id, count(*) FILTER (WHERE g.reached) AS reached, count(*) FILTER (WHERE g.bounced) AS bounced, max(g.reached_at) AS reached_at, max(g.response_at) AS response_at,
        sum(g.r7) AS responses_7d, sum(g.r30) AS responses_30d,
        coalesce(sum(g.r7) FILTER (WHERE g.by = 'email'), 0) AS responses_email_7d, coalesce(sum(g.r7) FILTER (WHERE g.by = 'sms'), 0) AS responses_sms_7d, coalesce(sum(g.r7) FILTER (WHERE g.by = 'letter'), 0) AS responses_letter_7d,
        coalesce(sum(g.r7) FILTER (WHERE g.by = 'call'), 0) AS responses_call_7d, coalesce(sum(g.r7) FILTER (WHERE g.by = 'other'), 0) AS responses_other_7d,
        coalesce(sum(g.r30) FILTER (WHERE g.by = 'email'), 0) AS responses_email_30d, coalesce(sum(g.r30) FILTER (WHERE g.by = 'sms'), 0) AS responses_sms_30d, coalesce(sum(g.r30) FILTER (WHERE g.by = 'letter'), 0) AS responses_letter_30d,
        coalesce(sum(g.r30) FILTER (WHERE g.by = 'call'), 0) AS responses_call_30d, coalesce(sum(g.r30) FILTER (WHERE g.by = 'other'), 0) AS responses_other_30d
    FROM (SELECT a.debtor_id, a.message_id, a.by, bool_or(a.reached) AS reached, bool_or(a.bounced) AS bounced, max(a.at) FILTER (WHERE a.reached) AS reached_at, max(a.at) FILTER (WHERE a.response) AS response_at,
                 count(*) FILTER (WHERE a.response AND a.at >= :'at'::timestamptz - interval '7 days') AS r7, count(*) FILTER (WHERE a.response AND a.at >= :'at'::timestamptz - interval '30 days') AS r30
          FROM came a GROUP BY 1, 2, 3) g GROUP BY g.debtor_id),
promises AS (
    SELECT v.debtor_id, count(*) AS n, count(*) FILTER (WHERE v.verdict = 1) AS kept, count(*) FILTER (WHERE v.verdict = -1) AS broken, avg(v.days) FILTER (WHERE v.verdict = -1) AS days
    FROM (SELECT q.debtor_id, q.due_on - (q.promised_at AT TIME ZONE 'UTC')::date AS days,
                 CASE WHEN q.in_time >= q.needed + q.paid_before OR q.cleared THEN 1 WHEN q.total >= q.needed + q.paid_before THEN -1 WHEN q.deadline > :'at' THEN 0 ELSE -1 END AS verdict
          FROM (SELECT x.debtor_id, x.promise_id, x.due_on, x.promised_at, x.needed, x.paid_before, x.deadline, coalesce(sum(p.amount), 0) AS total, coalesce(sum(p.amount) FILTER (WHERE p.paid_at < x.deadline), 0) AS in_time,
                       bool_or(a.n_open = 0) AS cleared
                FROM (SELECT y.*, ((y.due_on + 4)::timestamp AT TIME ZONE 'UTC') + interval '12 hours' AS deadline FROM dunning.promise y WHERE y.promised_at < :'at') x
                JOIN account a ON a.debtor_id = x.debtor_id
                LEFT JOIN dunning.payment p ON p.debtor_id = x.debtor_id AND p.paid_at < :'at'
                GROUP BY 1, 2, 3, 4, 5, 6, 7) q) v
    GROUP BY v.debtor_id),
book AS (
    SELECT d.debtor_id, d.creditor, coalesce(sum(a.n_paid) OVER kind, 0) AS n, coalesce(sum(a.n_late) OVER kind, 0) AS late, coalesce(sum(a.sum_late) OVER kind, 0) AS days, coalesce(sum(a.r0) OVER kind, 0) AS before, coalesce(sum(a.sum_gap) OVER kind, 0) AS gap, sum(a.sum_gap) OVER whole AS all_gap,
        nullif(sum(a.n_paid) OVER whole, 0) AS all_n, sum(a.n_late) OVER whole AS all_late, sum(a.sum_late) OVER whole AS all_days, sum(a.r0) OVER whole AS all_before
    FROM dunning.debtor d LEFT JOIN account a ON a.debtor_id = d.debtor_id WINDOW kind AS (PARTITION BY d.creditor, d.kind), whole AS (PARTITION BY d.creditor)),
mean AS (SELECT b.debtor_id, (b.late + 5 * b.all_late / b.all_n)::float8 / (b.n + 5)::float8 AS late, (b.days + 5 * b.all_days / b.all_n) / (b.n + 5)::float8 AS days, (b.before + 5 * b.all_before / b.all_n)::float8 / (b.n + 5)::float8 AS before, (b.gap + 5 * b.all_gap / b.all_n) / (b.n + 5)::float8 AS gap FROM book b)
SELECT d.debtor_id, d.creditor, :'at'::timestamptz AS as_of, a.currency, (a.debtor_id IS NOT NULL)::int AS currencies, coalesce(a.n_invoices, 0) AS n_invoices, coalesce(a.n_paid, 0) AS n_paid, coalesce(a.n_late, 0) AS n_late,
    coalesce(a.n_open, 0) AS n_open, coalesce(a.n_overdue, 0) AS n_overdue, coalesce(p.n, 0) AS n_payments, coalesce(a.amount_billed, 0) AS amount_billed, coalesce(a.amount_paid, 0) AS amount_paid, coalesce(a.amount_open, 0) AS amount_open,
    coalesce(a.amount_overdue, 0) AS amount_overdue, coalesce(a.dpd_0, 0) AS dpd_0, coalesce(a.dpd_1_30, 0) AS dpd_1_30, coalesce(a.dpd_31_60, 0) AS dpd_31_60, coalesce(a.dpd_61_90, 0) AS dpd_61_90, coalesce(a.dpd_over_90, 0) AS dpd_over_90,
    coalesce(a.days_past_due, 0) AS days_past_due, :'at'::date - p.last_day AS days_since_payment, a.days_since_invoice, a.tenure_days, a.n_late / nullif(a.n_paid, 0)::float8 AS late_ratio,
    coalesce(a.late_amount, 0) / nullif(a.amount_paid, 0) AS late_amount_ratio, a.sum_late / nullif(a.n_paid, 0) AS avg_late, a.last_late, a.max_late, a.avg_late_3, a.avg_late_3 - a.sum_late / nullif(a.n_paid, 0) AS trend, a.ewma_late,
    (coalesce(a.n_late, 0) + 5 * m.late) / (coalesce(a.n_paid, 0) + 5) AS late_ratio_shrunk, (coalesce(a.sum_late, 0) + 5 * m.days) / (coalesce(a.n_paid, 0) + 5) AS avg_late_shrunk, coalesce(a.n_paid, 0) / (coalesce(a.n_paid, 0) + 5)::float8 AS coverage,
    a.n_partial / nullif(a.n_touched, 0)::float8 AS partial_ratio, p.month_end / p.n::float8 AS month_end_ratio, a.amount_mean, a.amount_open / a.amount_mean AS open_vs_mean,
    coalesce(p.n_90d, 0) AS n_payments_90d, coalesce(p.n, 0) / (greatest(a.tenure_days, 30) / 30.4375::float8) AS payments_per_month, a.n_invoices / (greatest(a.tenure_days, 30) / 30.4375::float8) AS invoices_per_month, p.mean AS payment_mean,
    coalesce(a.n_partial, 0) AS n_partial, a.r0 / nullif(a.n_paid, 0)::float8 AS paid_before_reminder, a.r1 / nullif(a.n_paid, 0)::float8 AS paid_after_1, a.r2 / nullif(a.n_paid, 0)::float8 AS paid_after_2, a.r3 / nullif(a.n_paid, 0)::float8 AS paid_after_3,
    coalesce(q.n, 0) AS n_promises, coalesce(q.kept, 0) AS promises_kept, coalesce(q.broken, 0) AS promises_broken, q.kept / nullif(q.kept + q.broken, 0)::float8 AS promise_kept_ratio, q.days::float8 AS promise_days_to_break,
    coalesce(a.n_disputed, 0) AS n_disputed, a.n_disputed / nullif(a.n_invoices, 0)::float8 AS dispute_ratio,
    coalesce(width_bucket(a.days_past_due, ARRAY[1, 31, 61, 91]), 0) AS dpd_bucket, coalesce(width_bucket(a.days_past_due, ARRAY[1, 31, 61, 91]) - width_bucket(a.dpd_before, ARRAY[1, 31, 61, 91]), 0) AS dpd_roll, coalesce(a.amount_overdue - a.overdue_before, 0) AS overdue_change,
    (SELECT max(w) FROM unnest(p.weekdays) w) / p.n::float8 AS weekday_ratio, array_position(p.weekdays, (SELECT max(w) FROM unnest(p.weekdays) w)) AS pay_weekday, y.n / p.n::float8 AS payday_ratio, y.day AS payday_from,
    coalesce(c.contacts_7d, 0) AS contacts_7d, coalesce(c.contacts_30d, 0) AS contacts_30d, coalesce(r.responses_7d, 0) AS responses_7d, coalesce(r.responses_30d, 0) AS responses_30d,
    coalesce(c.contacts_email_7d, 0) AS contacts_email_7d, coalesce(c.contacts_sms_7d, 0) AS contacts_sms_7d, coalesce(c.contacts_letter_7d, 0) AS contacts_letter_7d, coalesce(c.contacts_call_7d, 0) AS contacts_call_7d, coalesce(c.contacts_other_7d, 0) AS contacts_other_7d,
    coalesce(c.contacts_email_30d, 0) AS contacts_email_30d, coalesce(c.contacts_sms_30d, 0) AS contacts_sms_30d, coalesce(c.contacts_letter_30d, 0) AS contacts_letter_30d, coalesce(c.contacts_call_30d, 0) AS contacts_call_30d, coalesce(c.contacts_other_30d, 0) AS contacts_other_30d,
    coalesce(r.responses_email_7d, 0) AS responses_email_7d, coalesce(r.responses_sms_7d, 0) AS responses_sms_7d, coalesce(r.responses_letter_7d, 0) AS responses_letter_7d, coalesce(r.responses_call_7d, 0) AS responses_call_7d, coalesce(r.responses_other_7d, 0) AS responses_other_7d,
    coalesce(r.responses_email_30d, 0) AS responses_email_30d, coalesce(r.responses_sms_30d, 0) AS responses_sms_30d, coalesce(r.responses_letter_30d, 0) AS responses_letter_30d, coalesce(r.responses_call_30d, 0) AS responses_call_30d, coalesce(r.responses_other_30d, 0) AS responses_other_30d,
    c.days_since_contact, floor(extract(epoch FROM :'at' - r.response_at) / 86400)::int AS days_since_response, r.reached / nullif(r.reached + r.bounced, 0)::float8 AS reached_ratio,
    floor(extract(epoch FROM :'at' - r.reached_at) / 86400)::int AS days_since_reached, floor(extract(epoch FROM :'at' - h.first_on) / 86400)::int AS address_age_days,
    (coalesce(a.r0, 0) + 5 * m.before) / (coalesce(a.n_paid, 0) + 5) AS paid_before_shrunk, (coalesce(a.n_paid, 0) * coalesce(a.ewma_late, 0) + 5 * m.days) / (coalesce(a.n_paid, 0) + 5) AS ewma_late_shrunk,
    d.kind, d.kind = 'company' AS is_company, d.country, coalesce(d.email <> '', false) AS has_email, coalesce(d.phone <> '', false) AS has_phone, d.address IS NOT NULL AS has_post, NULL::jsonb AS attributes,
    a.sum_gap / nullif(a.n_paid, 0)::float8 AS avg_gap, (coalesce(a.sum_gap, 0) + 5 * m.gap) / (coalesce(a.n_paid, 0) + 5) AS avg_gap_shrunk, a.gap_3 - a.sum_gap / nullif(a.n_paid, 0) AS gap_trend, a.ewma_gap, a.gap_sd, a.days_to_pay::float8 AS days_to_pay,
    w.hour AS pay_hour, w.n / p.n::float8 AS pay_hour_ratio
FROM dunning.debtor d
JOIN mean m ON m.debtor_id = d.debtor_id
LEFT JOIN account a ON a.debtor_id = d.debtor_id
LEFT JOIN payment p ON p.debtor_id = d.debtor_id
LEFT JOIN hourly w ON w.debtor_id = d.debtor_id
LEFT JOIN payday y ON y.debtor_id = d.debtor_id
LEFT JOIN contacts c ON c.debtor_id = d.debtor_id
LEFT JOIN address h ON h.debtor_id = c.debtor_id AND h.address_digest = c.address
LEFT JOIN answers r ON r.debtor_id = d.debtor_id
LEFT JOIN promises q ON q.debtor_id = d.debtor_id;
