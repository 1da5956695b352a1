-- charge: what the law says, as far as somebody looked it up. Whoever knows a later row saves it with set_rate() or save_charge_rule().

INSERT INTO dunning.reference_rate (reference, builtin, valid_from, valid_to, percent, source, verified, enabled) VALUES
    ('DE-base',      true, '2026-01-01', '2026-06-30', 1.27,  'Deutsche Bundesbank, Basiszinssatz, by finanzmarktnachrichten.de', true, true),
    ('DK-lending',   true, '2024-01-01', '2024-06-30', 3.75,  'Danmarks Nationalbank; 11.75 % in all by selandiaadvokater.dk', true, true),
    ('SE-reference', true, '2025-07-01', '2026-06-30', 2.00,  'Sveriges Riksbank, referensränta, by mystep.se', true, true),
    ('NO-late',      true, '2025-01-01', '2025-06-30', 12.50, 'FOR-2024-12-19-3279', true, true),
    ('NO-late',      true, '2026-01-01', '2026-06-30', 12.00, 'forsinkelsesrente, by kred.no', true, true),
    ('ECB-refi',     true, '2025-01-01', '2025-06-30', 3.15,  'ECB; 11.15 % commercial and 6 % consumer in all by smkaccountants.nl, debloggendeadvocaat.nl', true, true),
    ('GB-base',      true, '2025-12-31', '2026-06-30', 3.75,  'Bank of England; 11.75 % in all by payontime.co.uk, lovetts.co.uk, cripps.co.uk', true, true);

INSERT INTO dunning.interest_rule (country, debtor_kind, builtin, valid_from, reference, margin, round_reference, round_total, fixing, day_count, compounding,
    grace_days, grace_term, by_notice, clearing, frozen_by, source, verified, enabled) VALUES
    ('DE', 'person',  true, '2014-07-29', 'DE-base', 5, NULL, NULL, 'change', 'act/365', 'none', 30, 'default_notice', true, '{costs,interest,principal}',
        '{moratorium,breathing_space,insolvency}', 'BGB 288(1), 286(3), 367', true, true),
    ('DE', 'company', true, '2014-07-29', 'DE-base', 9, NULL, NULL, 'change', 'act/365', 'none', 30, NULL, true, '{costs,interest,principal}',
        '{moratorium,breathing_space,insolvency}', 'BGB 288(2), 286(3), 367', true, true),
    ('DK', 'person',  true, '2013-03-01', 'DK-lending', 8, NULL, NULL, 'half_year', '30/360', 'none', 0, NULL, false, '{principal,interest,costs}',
        '{moratorium,breathing_space,insolvency}', 'renteloven 5; elov.dk, forbrug.dk', true, true),
    ('DK', 'company', true, '2013-03-01', 'DK-lending', 8, NULL, NULL, 'half_year', '30/360', 'none', 0, NULL, false, '{principal,interest,costs}',
        '{moratorium,breathing_space,insolvency}', 'renteloven 5; elov.dk, forbrug.dk', true, true),
    ('SE', 'person',  true, '2002-07-01', 'SE-reference', 8, 0.5, NULL, 'half_year', 'act/365', 'none', 0, NULL, false, '{principal,interest,costs}',
        '{moratorium,breathing_space,insolvency}', 'räntelagen 6, 9', true, true),
    ('SE', 'company', true, '2002-07-01', 'SE-reference', 8, 0.5, NULL, 'half_year', 'act/365', 'none', 0, NULL, false, '{principal,interest,costs}',
        '{moratorium,breathing_space,insolvency}', 'räntelagen 6, 9', true, true),
    ('NO', 'person',  true, '2013-01-01', 'NO-late', 0, NULL, NULL, 'half_year', 'act/365', 'none', 0, NULL, false, '{principal,interest,costs}',
        '{moratorium,breathing_space,insolvency}', 'forsinkelsesrenteloven; kred.no', true, true),
    ('NO', 'company', true, '2013-01-01', 'NO-late', 0, NULL, NULL, 'half_year', 'act/365', 'none', 0, NULL, false, '{principal,interest,costs}',
        '{moratorium,breathing_space,insolvency}', 'forsinkelsesrenteloven; kred.no', true, true),
    ('NL', 'person',  true, '2012-07-01', 'ECB-refi', 2.25, NULL, 1, 'half_year', 'act/365', 'yearly', 0, NULL, false, '{principal,interest,costs}',
        '{moratorium,breathing_space,insolvency}', 'BW 6:119; vvoadvocatuur.nl, debloggendeadvocaat.nl', true, true),
    ('NL', 'company', true, '2012-07-01', 'ECB-refi', 8, NULL, NULL, 'half_year', 'act/365', 'yearly', 0, NULL, false, '{principal,interest,costs}',
        '{moratorium,breathing_space,insolvency}', 'BW 6:119a; vvoadvocatuur.nl, smkaccountants.nl', true, true),
    ('GB', 'company', true, '2002-08-07', 'GB-base', 8, NULL, NULL, 'half_year_before', 'act/365', 'none', 0, NULL, false, '{principal,interest,costs}',
        '{moratorium,breathing_space,insolvency}', 'Late Payment of Commercial Debts (Interest) Act 1998 and orders of 2002, 2013', true, true),
    ('EU', 'company', true, '2013-03-16', 'ECB-refi', 8, NULL, NULL, 'half_year', 'act/365', 'none', 0, NULL, false, '{principal,interest,costs}',
        '{moratorium,breathing_space,insolvency}', 'Directive 2011/7/EU art. 3', true, true);

-- Reminder fees. A fee is for a reminder that names it; none is posted by itself.
INSERT INTO dunning.charge_rule (country, debtor_kind, level, builtin, valid_from, valid_to, position, family, currency, amount, after_due_days, max_count, min_gap_days,
    gap_scope, notice, notice_days, term, after_broken_plan, source, verified, enabled)
SELECT r.country, k.kind, r.level, true, r.valid_from::date, r.valid_to::date, r.position, r.family, r.currency, r.amount, r.after_due, r.max_count, r.gap, r.scope,
       r.notice, r.notice_days, r.term, r.broken, r.source, r.verified AND k.kind = ANY (r.kinds), r.verified AND k.kind = ANY (r.kinds)
FROM (VALUES
    ('DK', 'reminder-1', '2013-03-01', NULL, 1, 'reminder', 'DKK', 100::numeric, 1, 3, 10, 'debtor', NULL, NULL::int, NULL, false, 'renteloven 9 b; elov.dk, debtia.dk, ivaekst.dk', true, '{person,company}'::text[]),
    ('DK', 'reminder-2', '2013-03-01', NULL, 2, 'reminder', 'DKK', 100, 1, 3, 10, 'debtor', NULL, NULL, NULL, false, 'renteloven 9 b; elov.dk, debtia.dk, ivaekst.dk', true, '{person,company}'),
    ('DK', 'reminder-3', '2013-03-01', NULL, 3, 'reminder', 'DKK', 100, 1, 3, 10, 'debtor', NULL, NULL, NULL, false, 'renteloven 9 b; elov.dk, debtia.dk, ivaekst.dk', true, '{person,company}'),
    ('DK', 'collection', '2013-03-01', NULL, 9, 'collection', 'DKK', 100, 1, 1, NULL, 'invoice', 'collection', 10, NULL, false, 'renteloven 9 b; notice of inkassoloven 10, elov.dk', true, '{person,company}'),
    ('SE', 'reminder-1', '2013-03-16', NULL, 1, 'reminder', 'SEK', 60, 1, 1, NULL, 'invoice', NULL, NULL, 'reminder_fee', true, 'konsumenternas.se, aroskapital.se', true, '{person,company}'),
    ('SE', 'collection-demand', '2013-03-16', NULL, 2, 'collection', 'SEK', 180, 1, 1, NULL, 'invoice', NULL, NULL, NULL, true, 'konsumenternas.se, kreditbevakarna.se', true, '{person,company}'),
    ('SE', 'instalment-plan', '2013-03-16', NULL, 3, 'plan', 'SEK', 170, 1, 1, NULL, 'invoice', 'instalment-plan', 0, NULL, true, 'konsumenternas.se, kreditbevakarna.se', true, '{person,company}'),
    -- The second only when the fourteen days of the first have run out.
    ('NO', 'reminder-1', '2020-10-01', NULL, 1, 'reminder', 'NOK', 35, 14, 2, 15, 'invoice', NULL, NULL, NULL, true, 'inkassoforskriften; kraviainkasso.no, safe-okonomi.no', true, '{person}'),
    ('NO', 'reminder-2', '2020-10-01', NULL, 2, 'reminder', 'NOK', 35, 14, 2, 15, 'invoice', NULL, NULL, NULL, true, 'inkassoforskriften; kraviainkasso.no, safe-okonomi.no', true, '{person}'),
    ('NO', 'collection-notice', '2020-10-01', NULL, 3, 'reminder', 'NOK', 35, 14, 2, 15, 'invoice', NULL, NULL, NULL, true, 'inkassoforskriften; kraviainkasso.no, safe-okonomi.no', true, '{person}'),
    ('NO', 'payment-demand', '2020-10-01', NULL, 4, 'demand', 'NOK', 105, 14, 1, NULL, 'invoice', 'collection-notice', 14, NULL, true, 'inkassoforskriften; kraviainkasso.no', true, '{person}'),
    -- One twentieth of the base of 2026, if the share stayed: nobody has said so yet.
    ('NO', 'reminder-1', '2026-01-01', NULL, 1, 'reminder', 'NOK', 37.50, 14, 2, 15, 'invoice', NULL, NULL, NULL, true, 'one twentieth of NOK 750, derived; kred.no', false, '{}')
) AS r (country, level, valid_from, valid_to, position, family, currency, amount, after_due, max_count, gap, scope, notice, notice_days, term, broken, source, verified, kinds),
    (VALUES ('person'), ('company')) k (kind);

-- Between businesses a fixed sum is due for each late payment, reminder or not; costs of consumers in the Netherlands follow a letter.
INSERT INTO dunning.charge_rule (country, debtor_kind, level, builtin, valid_from, valid_to, kind, position, family, currency, amount, tiers, minimum, maximum, max_count,
    notice, notice_days, notice_post, notice_amount, with_reminder, source, verified, enabled) VALUES
    ('NL', 'person', 'collection-cost', true, '2012-07-01', NULL, 'cost', 1, 'collection', 'EUR', NULL,
        '[{"upto": 2500, "percent": 15}, {"upto": 5000, "percent": 10}, {"upto": 10000, "percent": 5}, {"upto": 200000, "percent": 1}, {"percent": 0.5}]', 40, 6775, 1,
        'collection-cost', 14, true, true, false, 'Besluit BIK, BW 6:96; intrum.nl, kerckhoffs-lasonder.nl', true, true),
    ('GB', 'company', 'compensation', true, '2013-03-16', NULL, 'compensation', 1, 'compensation', 'GBP', NULL,
        '[{"below": 1000, "amount": 40}, {"below": 10000, "amount": 70}, {"amount": 100}]', NULL, NULL, 1,
        NULL, NULL, false, false, false, 'Late Payment of Commercial Debts Regulations 2002, 2013; payontime.co.uk', true, true),
    ('EU', 'company', 'compensation', true, '2013-03-16', NULL, 'compensation', 1, 'compensation', 'EUR', 40, NULL, NULL, NULL, 1,
        NULL, NULL, false, false, false, 'Directive 2011/7/EU art. 6; C-78/22: for each late payment', true, true),
    ('DE', 'company', 'compensation', true, '2014-07-29', NULL, 'compensation', 1, 'compensation', 'EUR', 40, NULL, NULL, NULL, 1,
        NULL, NULL, false, false, false, 'BGB 288(5), clause not looked up', false, false),
    ('DK', 'company', 'compensation', true, '2013-03-01', NULL, 'compensation', 10, 'compensation', 'DKK', 310, NULL, NULL, NULL, 1,
        NULL, NULL, false, false, false, 'renteloven 9 a (3); sum from one undated source', false, false),
    ('SE', 'company', 'compensation', true, '2013-03-16', NULL, 'compensation', 10, 'compensation', 'SEK', 450, NULL, NULL, NULL, 1,
        NULL, NULL, false, false, false, 'lag (1981:739) 4 a; kreditbevakarna.se', true, true),
    ('NO', 'company', 'compensation', true, '2025-01-01', '2025-06-30', 'compensation', 10, 'compensation', 'NOK', 470, NULL, NULL, NULL, 1,
        NULL, NULL, false, false, false, 'FOR-2024-12-19-3279', true, true),
    ('NO', 'company', 'compensation', true, '2026-01-01', '2026-06-30', 'compensation', 10, 'compensation', 'NOK', 460, NULL, NULL, NULL, 1,
        NULL, NULL, false, false, false, 'kred.no', true, true);
