-- Traders: mostly companies, with payment runs on six days of the month, thirty days to pay and larger invoices. More pay on time, and
-- twice as many cannot pay. Their mail is read by a bookkeeper, half of them have no mobile number, and an SMS moves few of them.
INSERT INTO demo.world (company, terms, tied, paydays, base, spread, has_mail, has_mobile, no_sms, no_mail)
VALUES (.55, 30, .75, '{1,10,15,20,25,28}', 60, 1500, .97, .55, .10, .02);
INSERT INTO demo.kind (ord, kind, share, on_time, self_cure, slow, at_reminder, heeds, owes) VALUES
    (1, 'prompt',    .34, .80, .14, .045, .010, .70, 1),
    (2, 'average',   .30, .45, .28, .170, .080, .60, 1),
    (3, 'late',      .20, .10, .22, .360, .270, .50, 1),
    (4, 'stretched', .16, .04, .08, .280, .340, .20, 1.6);
INSERT INTO demo.reads (channel, low, high) VALUES ('email', .15, .75), ('sms', .05, .45), ('letter', .15, .60), ('call', .35, .90);
INSERT INTO demo.place (ord, weight, lang, land, zone, phone, company, street, city, currency) VALUES
    (1, 4, 'de', 'DE', 'Europe/Berlin',     '+49151', ' GmbH', 'Lindenallee', 'Kiel',    'EUR'),
    (2, 3, 'nl', 'NL', 'Europe/Amsterdam',  '+3161',  ' BV',   'Dorpsstraat', 'Utrecht', 'EUR'),
    (3, 2, 'en', 'GB', 'Europe/London',     '+4477',  ' Ltd',  'Mill Lane',   'Leeds',   'GBP'),
    (4, 1, 'en', 'FI', 'Europe/Helsinki',   '+35840', ' Oy',   'Aleksinkatu', 'Tampere', 'EUR'),
    (5, 1, 'sv', 'SE', 'Europe/Stockholm',  '+4670',  ' AB',   'Storgatan',   'Uppsala', 'SEK');
