-- plan: the strategies that come with the extension besides the ladder of `standard`, as rows like everybody's.

INSERT INTO dunning.strategy (strategy, builtin, description, minimum, grace_days, min_gap_days, tolerance, max_contacts, max_days, stop_after, choose) VALUES
    ('consumer', true, 'Private persons: friendly first, nothing to likely self-curers in the first week, ten days between a reminder and what follows it, after payday for those who wait for it, a plan for those who cannot pay, a formal notice by letter with an SMS beside it',
     '{"*": 5}', 2, 5, '{"EUR": 1, "USD": 1, "DKK": 5, "SEK": 10, "NOK": 10}', 6, 30, 15, 'value'),
    ('business', true, 'Companies: by e-mail and letter to the bookkeeping, a call before the final notice, a visit where it is worth one',
     '{"*": 10}', 0, 7, '{"EUR": 5, "USD": 5, "DKK": 40, "SEK": 50, "NOK": 50}', 5, 30, 15, 'value'),
    ('subscription', true, 'Many small invoices: soon, short and often while it is fresh, weekly reminders, then a notice; stops when nobody answers',
     '{"*": 2}', 0, 3, '{"*": 0.5}', 8, 30, 10, 'value');

INSERT INTO dunning.step (strategy, step, builtin, position, anchor, offset_days, template, channels, condition, framing, tone, self_cure_wait, self_cure_days, after_contact,
        cooldown_days, level, offer, companion_channel, companion_template, print, must, repeat_days, repeat_max, until_days) VALUES
    ('standard', 'plan-offer',     true,  70, 'due_date',        8, 'plan-offer',     '{email,sms,letter}', 'diagnosis = ''cannot_pay''',                          'empathy', 'soft', 0, 0, false, NULL, NULL, 'instalments', NULL, NULL, '{}', false, 21, 4, NULL),
    ('consumer', 'pre-due',        true,  10, 'due_date',       -3, 'pre-due',        '{email,sms}',        'p_late >= 0.5 AND p_self_cure < 0.5', 'neutral', 'friendly', 0, 0, false, NULL, NULL, NULL, NULL, NULL, '{}', false, NULL, NULL, NULL),
    ('consumer', 'reminder-1',     true,  20, 'due_date',        5, 'reminder-1',     '{email,sms}',        'coalesce(diagnosis, '''') <> ''waiting_for_payday''',   'neutral', 'friendly', 7, 12, false, NULL, NULL, NULL, NULL, NULL, '{}', false, NULL, NULL, NULL),
    ('consumer', 'reminder-2',     true,  30, 'due_date',       15, 'reminder-2',     '{sms,email,letter}', 'coalesce(diagnosis, '''') NOT IN (''cannot_pay'', ''waiting_for_payday'')', 'social_proof', 'neutral', 0, 0, false, 10, NULL, NULL, NULL, NULL, '{"envelope": "plain", "window": false}', false, NULL, NULL, NULL),
    ('consumer', 'final-notice',   true,  40, 'due_date',       30, 'final-notice',   '{letter,email}',     NULL, 'neutral', 'formal', 0, 0, true,  10, NULL, NULL, 'sms', 'formal-notice-sms', '{}', true, NULL, NULL, NULL),
    ('consumer', 'call',           true,  50, 'due_date',       42, 'call',           '{call}',             'coalesce(diagnosis, '''') <> ''cannot_pay''',           'neutral', 'neutral', 0, 0, true,  10, NULL, NULL, NULL, NULL, '{}', false, NULL, NULL, NULL),
    ('consumer', 'visit',          true,  60, 'due_date',       75, 'visit',          '{visit}',            'diagnosis = ''unreachable''',                         'neutral', 'neutral', 0, 0, false, NULL, NULL, NULL, NULL, NULL, '{}', false, NULL, NULL, NULL),
    ('consumer', 'plan-offer',     true,  70, 'due_date',        8, 'plan-offer',     '{email,sms,letter}', 'diagnosis = ''cannot_pay''',                          'empathy', 'soft', 0, 0, false, NULL, NULL, 'instalments', NULL, NULL, '{}', false, 21, 4, NULL),
    ('business', 'pre-due',        true,  10, 'due_date',       -5, 'pre-due',        '{email}',            'p_late >= 0.5 AND p_self_cure < 0.5', 'neutral', 'neutral', 0, 0, false, NULL, NULL, NULL, NULL, NULL, '{}', false, NULL, NULL, NULL),
    ('business', 'reminder-1',     true,  20, 'due_date',        3, 'reminder-1',     '{email}',            NULL, 'neutral', 'neutral', 10, 0, false, NULL, NULL, NULL, NULL, NULL, '{}', false, NULL, NULL, NULL),
    ('business', 'reminder-2',     true,  30, 'due_date',       12, 'reminder-2',     '{email,letter}',     NULL, 'neutral', 'neutral', 0, 0, false, NULL, NULL, NULL, NULL, NULL, '{}', false, NULL, NULL, NULL),
    ('business', 'call',           true,  40, 'due_date',       20, 'call',           '{call}',             NULL, 'neutral', 'neutral', 0, 0, true,  NULL, NULL, NULL, NULL, NULL, '{}', false, NULL, NULL, NULL),
    ('business', 'final-notice',   true,  50, 'due_date',       30, 'final-notice',   '{letter,email}',     NULL, 'neutral', 'formal', 0, 0, true,  10, NULL, NULL, NULL, NULL, '{}', true, NULL, NULL, NULL),
    ('business', 'visit',          true,  60, 'due_date',       60, 'visit',          '{visit}',            NULL, 'neutral', 'neutral', 0, 0, true,  NULL, NULL, NULL, NULL, NULL, '{}', false, NULL, NULL, NULL),
    ('business', 'plan-offer',     true,  70, 'due_date',       10, 'plan-offer',     '{email,letter}',     'diagnosis = ''cannot_pay''',                          'empathy', 'soft', 0, 0, false, NULL, NULL, 'instalments', NULL, NULL, '{}', false, 21, 4, NULL),
    ('subscription', 'pre-due',    true,  10, 'due_date',       -2, 'pre-due',        '{email,sms}',        'p_late >= 0.5 AND p_self_cure < 0.5', 'neutral', 'friendly', 0, 0, false, NULL, NULL, NULL, NULL, NULL, '{}', false, NULL, NULL, NULL),
    ('subscription', 'reminder-1', true,  20, 'due_date',        1, 'reminder-1',     '{email,sms}',        'coalesce(diagnosis, '''') <> ''waiting_for_payday''',   'neutral', 'friendly', 4, 7, false, NULL, NULL, NULL, NULL, NULL, '{}', false, NULL, NULL, NULL),
    ('subscription', 'reminder-2', true,  30, 'due_date',        8, 'reminder-2',     '{sms,email}',        'coalesce(diagnosis, '''') <> ''waiting_for_payday''', 'neutral', 'neutral', 0, 0, false, NULL, NULL, NULL, NULL, NULL, '{}', false, 7, 3, NULL),
    ('subscription', 'final-notice', true, 40, 'due_date',      35, 'final-notice',   '{email,letter}',     NULL, 'neutral', 'formal', 0, 0, true,  10, NULL, NULL, 'sms', 'formal-notice-sms', '{}', false, NULL, NULL, NULL);

-- What is counted from another day than the due date is the same in all of them.
INSERT INTO dunning.step (strategy, step, builtin, position, anchor, offset_days, template, channels, condition, framing, tone, cooldown_days)
SELECT t.strategy, s.step, true, s.position, s.anchor, s.offset_days, s.template, s.channels, s.condition, s.framing, s.tone, s.cooldown_days
FROM dunning.strategy t
CROSS JOIN (VALUES
    ('fee-warning',    110, 'next_fee',       -1, 'fee-warning',    '{sms,email}'::text[],  NULL,                               'loss_aversion', 'neutral', 0),
    ('hearing',        120, 'hearing',        -2, 'hearing',        '{sms,email}'::text[],  NULL,                               'neutral',       'neutral', 0),
    ('after-payday',   130, 'payday',          1, 'after-payday',   '{sms,email}'::text[],  'diagnosis = ''waiting_for_payday''', 'neutral',     'friendly', 3),
    ('broken-promise', 140, 'broken_promise',  1, 'broken-promise', '{email,sms}'::text[],  NULL,                               'neutral',       'soft',    1))
    s(step, position, anchor, offset_days, template, channels, condition, framing, tone, cooldown_days)
WHERE t.builtin;

-- Off until somebody wants them: SELECT dunning.assign_strategy('companies', 'business', debtor_kind => 'company');
INSERT INTO dunning.strategy_rule (rule, builtin, position, debtor_kind, strategy, enabled) VALUES
    ('companies', true, 100, 'company', 'business', false),
    ('persons',   true, 110, 'person',  'consumer', false);
