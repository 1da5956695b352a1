-- Every call of the SQL face once, with arguments that work: \ir'ed by a superuser whose search_path is hostile. No operator, no unqualified name, no cast.
-- A call that is granted to anybody and does not stand here fails the test.
SELECT dunning.bind('debtor', 'book.v_debtor');
SELECT dunning.bind('invoice', 'book.v_invoice');
SELECT dunning.bind('payment', 'book.v_payment', max_age => '26 hours');
SELECT dunning.unbind('payment');
SELECT dunning.bind('payment', 'book.v_payment');
SELECT dunning.ledger_loaded('payment', '2026-06-22 09:00+02');
TABLE dunning.source;
SELECT * FROM dunning.balance('d1');
SELECT * FROM dunning.balance('d1', '2026-06-01 00:00+00');
SELECT * FROM dunning.balance_history('d1');
SELECT * FROM dunning.features();
SELECT * FROM dunning.invoice_features('2026-05-01 00:00+00');
SELECT * FROM dunning.save_creditor('default', 'Nordlys', 'Mette', 'mette@example.org', '+4533000000', '1234', 'en', 'standard');

SELECT * FROM dunning.fit('sample', 'SELECT s.x, s.y FROM book.sample s', 'y');
SELECT * FROM dunning.evaluate('sample', 'SELECT s.x, s.y FROM book.sample s', 'y');
SELECT * FROM dunning.promote('sample', 1);
SELECT dunning.predict('sample', s) FROM book.sample s;
SELECT r.* FROM book.sample s, LATERAL dunning.reasons('sample', s) r LIMIT 5;
SELECT * FROM dunning.train('late');
SELECT * FROM dunning.fit('sample', 'SELECT s.x, s.y FROM book.sample s', 'y', 'scorecard');
SELECT * FROM dunning.promote('sample', 2);
SELECT * FROM dunning.scorecard('sample');
SELECT dunning.model_sql('sample');
SELECT dunning.rollback('sample');
SELECT dunning.retire('sample', 2);
SELECT dunning.export_model('sample');
SELECT dunning.create_predictor('sample', 'book.sample_p');
SELECT * FROM dunning.score_rows('sample', 'SELECT pg_catalog.row_number() OVER () AS id, s.x FROM book.sample s', 'id', 'book.sample_score');
SELECT dunning.fit_job('spare', 'SELECT s.x, s.y FROM book.sample s', 'y') AS job \gset
SELECT dunning.cancel_job(:'job');
SELECT dunning.train_job('late') AS job \gset
SELECT dunning.cancel_job(:'job');
TABLE dunning.fit_status;
TABLE dunning.feature_catalogue;
SELECT * FROM dunning.attribute_features();
SELECT dunning.save_feature('doubled', 'twice what is open', expression => 'amount_open * 2');
SELECT dunning.exclude_feature('doubled');
SELECT dunning.include_feature('doubled');
SELECT dunning.reset_feature('doubled');
SELECT * FROM dunning.train_curve();
SELECT * FROM dunning.train_curve('kaplan_meier', by_column => 'kind');
SELECT * FROM dunning.curve_table('kaplan_meier_kind');
SELECT * FROM dunning.kaplan_meier();
SELECT dunning.p_paid_by('payment_curve', f, 30) FROM dunning.invoice_features() f;
SELECT * FROM dunning.expected_recovery();
SELECT dunning.psi('{1,2}', '{2,1}');
SELECT * FROM dunning.check_drift('sample', 'SELECT s.x, s.y FROM book.sample s', 'y');
TABLE dunning.drift;
TABLE dunning.diagnosis_catalogue;
SELECT * FROM dunning.diagnoses();
SELECT g.* FROM dunning.features() f, LATERAL dunning.diagnose(f) g;
SELECT dunning.habits(f) FROM dunning.features() f;
SELECT * FROM dunning.save_segment('loud', 'p_late > 0.9', 5);
SELECT * FROM dunning.score();
SELECT * FROM dunning.reset_segment('loud');
SELECT * FROM dunning.set_treatment('silent', channel => 'sms', tone => 'friendly', gap_days => 3);
SELECT * FROM dunning.set_treatment('silent');
SELECT * FROM dunning.learn_segments('tree', options => '{"min_leaf": 1, "target": "p_late"}');
SELECT version FROM dunning.learn_segments('kmeans', options => '{"min_leaf": 1, "k_most": 2, "columns": ["n_invoices", "amount_open", "tenure_days"]}') LIMIT 1 \gset
SELECT * FROM dunning.use_segments(:version);
SELECT :version OPERATOR(pg_catalog.+) 1 AS version \gset
SELECT * FROM dunning.use_segments(:version);
TABLE dunning.segment_history;
SELECT * FROM dunning.diagnoses();
SELECT * FROM dunning.diagnose(NULL, NULL);
SELECT dunning.habits(NULL);
TABLE dunning.diagnosis_catalogue;
TABLE dunning.debtor_score;
TABLE dunning.progress;

SELECT * FROM dunning.calendar_dates('GB', '2026-01-01', '2026-12-31');
SELECT * FROM dunning.save_date_effect('vat-due');
SELECT * FROM dunning.date_effects('GB', '2026-01-01', '2026-12-31', 'company');
SELECT * FROM dunning.reset_date_effect('vat-due');
SELECT * FROM dunning.save_money_date('closure', '2026-07-13', 'works holiday', 'GB');
SELECT * FROM dunning.save_rule('short', windows => 'Mon-Fri 09:00-17:00', channels => '{email}', source => 'house');
SELECT * FROM dunning.reset_rule('short');
SELECT * FROM dunning.save_holiday('GB', '2026-07-13', 'A day');
SELECT * FROM dunning.save_contact_wish('d1', 'mornings', 'not Mon-Fri 06:00-09:00');
SELECT * FROM dunning.closing_rules('d1', 'email', '2026-06-22 10:00+02', '2026-06-24 10:00+02');
SELECT dunning.drop_contact_wish('d1', 'mornings');
SELECT * FROM dunning.allowed('d1', 'email', '2026-06-22 10:00+02');
SELECT * FROM dunning.contact_windows('d1', 'email', '2026-06-22 10:00+02', '2026-06-24 10:00+02');
SELECT h.hold_id FROM dunning.hold('d2', 'hardship') h \gset
SELECT * FROM dunning.release(:'hold_id');
SELECT * FROM dunning.save_hold_reason('strike', 'the post does not run', default_days => 14);
SELECT h.hold_id FROM dunning.hold('d2', 'deceased', from_on => '2026-06-30', contact => '{"name": "The estate"}') h \gset
SELECT * FROM dunning.release(:'hold_id', 'a mistake');
SELECT h.hold_id FROM dunning.hold_creditor('default', 'strike') h \gset
SELECT * FROM dunning.release(:'hold_id');
SELECT * FROM dunning.reset_hold_reason('strike');
TABLE dunning.holds;
SELECT * FROM dunning.suppress('gone@example.org', 'email', 'bounced');
SELECT * FROM dunning.unsuppress('gone@example.org', 'email');
SELECT * FROM dunning.best_time('d1', 'email');
SELECT * FROM dunning.best_times('email');
SELECT * FROM dunning.payday('d1');
SELECT * FROM dunning.timing_report();
SELECT * FROM dunning.start_experiment('framing-x', '["neutral", "loss_averse"]');
SELECT * FROM dunning.assign('framing-x', 'd1');
SELECT * FROM dunning.experiment_result('framing-x');
SELECT * FROM dunning.end_experiment('framing-x');
SELECT * FROM dunning.split_segments('framing-x');
SELECT * FROM dunning.set_holdout(0);

SELECT * FROM dunning.save_charging('default', fees => true, interest => true, terms => '{reminder_fee}');
SELECT * FROM dunning.set_rate('GB-base', 3.75, '2026-06-30', '2026-12-30', 'Bank of England');
SELECT * FROM dunning.save_charge_rule('GB', 'person', 'reminder-1', 'GBP', 5, '2026-01-01', source => 'the contract');
SELECT * FROM dunning.save_interest_rule('GB', 'person', 'GB-base', 0, '2026-01-01', source => 'the contract');
SELECT * FROM dunning.interest('d1');
SELECT * FROM dunning.lawful_fees('d1');
SELECT * FROM dunning.record_notice('d1', 'I1-10', 'reminder-1', '2026-06-01', 5);
SELECT c.charge_id FROM dunning.charge('d1', 'I1-10', 'reminder-1') c \gset
SELECT * FROM dunning.waive(:'charge_id', 'goodwill');
SELECT c.charge_id FROM dunning.charge('d2', 'I2-10', 'reminder-1') c \gset
SELECT * FROM dunning.book_charge(:'charge_id', 'B-1');
SELECT * FROM dunning.assess_charges();
TABLE dunning.charge_due;
SELECT * FROM dunning.verify_charges();
SELECT * FROM dunning.reset_charge_rules('GB');

SELECT * FROM dunning.save_strategy('own', 'a strategy of ours');
SELECT * FROM dunning.save_step('own', 'first', 1, 3, 'reminder-1', '{email,sms}', condition => 'days_past_due > 1 AND coalesce(p_late, 0) >= 0');
SELECT * FROM dunning.plan('own', dry_run => true);
SELECT * FROM dunning.simulate('own', '2026-06-19', '2026-06-21');
SELECT * FROM dunning.compare_strategies('own', 'standard', '2026-06-20', '2026-06-21');
SELECT * FROM dunning.assign_strategy('own', 'own', segment => 'new');
SELECT * FROM dunning.set_strategy('d1', 'own');
SELECT * FROM dunning.strategy_of('d1');
SELECT * FROM dunning.set_strategy('d1', NULL);
SELECT * FROM dunning.assign_strategy('own', 'own', segment => 'new', enabled => false);
SELECT * FROM dunning.set_budget(100, 'EUR', campaign => 'own');
SELECT * FROM dunning.set_budget(NULL, 'EUR', campaign => 'own');
SELECT * FROM dunning.reset_step('own', 'first');
SELECT * FROM dunning.set_cost('email', 0.01, 'GBP');
SELECT * FROM dunning.set_late_cost(18.5, 'GBP', 'a test');
SELECT * FROM dunning.set_late_cost(NULL, NULL, NULL);
SELECT p.run_id FROM dunning.plan(approve => true) p LIMIT 1 \gset
SELECT * FROM dunning.forewarning();
SELECT * FROM dunning.reject(:'run_id');
SELECT p.run_id FROM dunning.plan(approve => true) p LIMIT 1 \gset
SELECT * FROM dunning.approve(:'run_id');
SELECT * FROM dunning.plan();

SELECT * FROM dunning.save_template('reminder-1', 'sms', 'en', NULL, 'Hello {{given_name}}, {{amount | money}} is due: {{pay_url}}. Already paid? Ignore this. {{creditor_name}}');
SELECT * FROM dunning.save_template('closing', 'sms', 'en', NULL, 'Thank you. {{creditor_name}}', partial => true);
SELECT * FROM dunning.save_template('with-closing', 'sms', 'en', NULL, 'Hello {{given_name}}, {{amount | money}}: {{pay_url}}. Already paid? Ignore this. {{> closing}}', vars => '{payday}', personal => true);
SELECT * FROM dunning.template_history('with-closing', 'sms', 'en');
SELECT * FROM dunning.restore_template('with-closing', 'sms', 'en', 1);
SELECT dunning.set_sensitivity('payday', 'open'), dunning.set_sensitivity('payday', NULL);
SELECT * FROM dunning.preview('with-closing', 'd1', 'sms');
SELECT * FROM dunning.preview('reminder-1', 'd1', 'sms');
SELECT * FROM dunning.render('reminder-1', '{"given_name": "Ada", "amount": 3, "currency": "GBP", "pay_url": "https://x.test", "creditor_name": "N"}', 'en', 'sms');
SELECT * FROM dunning.reset_template('reminder-1', 'sms', 'en');
SELECT dunning.activate();
SELECT s.message_id FROM dunning.send('d20', 'reminder-1', 'email', not_before => '2026-06-23 10:00+02') s \gset
SELECT * FROM dunning.send('d1', 'reminder-1', 'email', idempotency_key => 'k1');
SELECT dunning.link(:'message_id', 'pay') AS token \gset
SELECT * FROM dunning.open_link(:'token');
SELECT * FROM dunning.act_on_link(:'token', '{"text": "hello"}');
SELECT * FROM dunning.link_page(:'token');
SELECT * FROM dunning.letter_html(:'message_id');
SELECT dunning.epc_payload('Nordlys', 'DK5000400440116243', 1.50);
SELECT dunning.rotate_link_key();
SELECT * FROM dunning.explain_message(:'message_id');
SELECT * FROM dunning.cancel(:'message_id', 'a test');
SELECT * FROM dunning.send_test('reminder-1', 'd4', 'email', 'me@example.org');
SELECT dunning.pause('mail');
SELECT dunning.resume('mail');
SELECT * FROM dunning.save_http_preset('ours', 'POST', 'json', '{"to": "{address}", "text": "{text}"}');
SELECT * FROM dunning.reset_http_preset('ours');
SELECT * FROM dunning.probe('mail');
CALL dunning.deliver(max_seconds => 20);
SELECT * FROM dunning.retry(dry_run => false);
SELECT * FROM dunning.verify_egress();

SELECT * FROM dunning.record_event('replied', 'd5', detail => '{"channel": "email", "text": "why?"}', event_key => 'e1');
SELECT * FROM dunning.record_event('bounced', 'd6', detail => '{"channel": "email", "address": "d6@example.org"}');
SELECT * FROM dunning.record_event('opted_out', 'd7', detail => '{"channel": "sms"}');
SELECT * FROM dunning.promise('d8', 5, 'GBP', '2026-07-10');
SELECT * FROM dunning.plan_options('d7');
SELECT * FROM dunning.save_setting('settlement_percent', '50');
SELECT * FROM dunning.save_setting('four_eyes', 'true');
SELECT * FROM dunning.make_offer('d7', 'settlement');
-- Who proposed it may not approve it.
UPDATE dunning.offer SET made_by = 'another';
SELECT * FROM dunning.approve_offer('d7');
SELECT * FROM dunning.decline_offer('d7');
SELECT * FROM dunning.make_offer('d7', 'pay_later');
SELECT * FROM dunning.withdraw_offer('d7', 'a mistake');
SELECT * FROM dunning.make_offer('d7', 'promise');
SELECT * FROM dunning.accept_offer('d7');
SELECT * FROM dunning.save_offer_text('pay_later', 'en', 'Later is fine');
TABLE dunning.offers;
SELECT * FROM dunning.save_setting('settlement_percent', NULL);
SELECT * FROM dunning.save_setting('four_eyes', NULL);
SELECT * FROM dunning.agree_instalments('d9', '[{"amount": 10, "currency": "GBP", "due_on": "2026-07-01"}, {"amount": 10, "currency": "GBP", "due_on": "2026-08-01"}]');
SELECT * FROM dunning.receive('text', :'headers', '{"event": "delivered"}');
SELECT * FROM dunning.receive_mail('text', '\x46726f6d3a207840792e6578616d706c650a0a53544f50');
SELECT * FROM dunning.save_document('a', 'a.pdf', '\x25504446', debtor_id => 'd1');
SELECT * FROM dunning.save_document('b', 'b.pdf', '\x25504446');
SELECT * FROM dunning.attach_document('reminder-1', 'b', 'en');
TABLE dunning.documents;
SELECT * FROM dunning.detach_document('reminder-1', 'b');
SELECT * FROM dunning.drop_document('b');
SELECT * FROM dunning.drop_document('a', 'd1');
SELECT * FROM dunning.save_handover_rule('agency', 'agency', 'age', 1, recipient => 'Inkasso Nord', commission_percent => 12, minimum => '{"*": 1}');
SELECT v.handover_id FROM dunning.propose_handover('d11', 'write_off') v \gset
SELECT * FROM dunning.approve_handover(:'handover_id');
SELECT * FROM dunning.take_back(:'handover_id', 'a mistake');
SELECT v.handover_id FROM dunning.propose_handover('d12', 'court') v \gset
SELECT * FROM dunning.reject_handover(:'handover_id', 'too small');
TABLE dunning.handovers;
TABLE dunning.handover_invoices;
SELECT dunning.export_case('d11', 'to the agency');
SELECT dunning.conversation('d5');
SELECT w.task_id FROM dunning.worklist w LIMIT 1 \gset
SELECT * FROM dunning.claim_task(:'task_id');
SELECT * FROM dunning.complete_task(:'task_id', 'done', 'a note');
SELECT * FROM dunning.save_setting('awaiting_us_days', '7');

SELECT * FROM dunning.find_debtor('Name 11');
SELECT dunning.report_html();
SELECT dunning.report_html(debtor_id => 'd1');
SELECT * FROM dunning.explain('d1');
SELECT * FROM dunning.costs('2026-06-01', '2026-07-01');
SELECT * FROM dunning.touches('2026-06-01', '2026-07-01');
SELECT * FROM dunning.invoice_contacts((SELECT min(debtor_id) FROM dunning.message));
SELECT dunning.metrics();
TABLE dunning.debtor_overview;
TABLE dunning.worklist;
TABLE dunning.journal;
TABLE dunning.queue_status;
TABLE dunning.promise_state;
TABLE dunning.message_state;
TABLE dunning.stat_worker;
TABLE dunning.run_log;
SELECT * FROM dunning.health();
SELECT * FROM dunning.maintain();
CALL dunning.daily();
CALL dunning.read_mail();
CALL dunning.ask_gateway();
CALL dunning.deliver(max_seconds => 20);
SELECT * FROM dunning.drop_handover_rule('agency');
SELECT dunning.export('d1');
SELECT * FROM dunning.forget('d10');
SELECT dunning.deactivate();
