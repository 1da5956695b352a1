INSERT INTO dunning.template (template, channel, language, framing, builtin, subject, body_text, body_html) VALUES
('reminder-1', 'sms', 'en', 'neutral', true, NULL,
'Hi {{given_name}}, {{amount | money}} to {{creditor_name}} is {{days_overdue}} {{days_overdue | plural: day, days}} overdue. Pay here: {{pay_url}}', NULL);
