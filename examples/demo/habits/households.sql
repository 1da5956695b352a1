-- Households: seven in eight are persons, paid on any day of the month, who look at their telephone.
-- The shares follow a case told by a Norwegian collections firm: 29 % of invoices paid on time, half of the late ones before any
-- reminder, 2.7 % handed to collection.
INSERT INTO demo.world (company, terms, tied, paydays, base, spread, has_mail, has_mobile, no_sms, no_mail)
VALUES (.12, 14, .5, ARRAY(SELECT generate_series(1, 28)), 25, 400, .92, .88, .04, .01);
INSERT INTO demo.kind (ord, kind, share, on_time, self_cure, slow, at_reminder, heeds, owes) VALUES
    (1, 'prompt',    .20, .78, .18, .03, .008, .70, 1),
    (2, 'average',   .46, .24, .48, .20, .072, .70, 1),
    (3, 'late',      .27, .05, .32, .36, .240, .60, 1),
    (4, 'stretched', .07, .03, .10, .32, .360, .25, 1.6);
INSERT INTO demo.reads (channel, low, high) VALUES ('email', .10, .70), ('sms', .25, .95), ('letter', .15, .55), ('call', .30, .90);
INSERT INTO demo.place (ord, weight, lang, land, zone, phone, company, street, city, currency) VALUES
    (1, 4, 'da', 'DK', 'Europe/Copenhagen', '+4520',  ' ApS',  'Strandvejen', 'Aarhus',  'DKK'),
    (2, 2, 'sv', 'SE', 'Europe/Stockholm',  '+4670',  ' AB',   'Storgatan',   'Uppsala', 'SEK'),
    (3, 2, 'nb', 'NO', 'Europe/Oslo',       '+4740',  ' AS',   'Kirkegata',   'Bergen',  'NOK'),
    (4, 1, 'de', 'DE', 'Europe/Berlin',     '+49151', ' GmbH', 'Lindenallee', 'Kiel',    'EUR'),
    (5, 1, 'nl', 'NL', 'Europe/Amsterdam',  '+3161',  ' BV',   'Dorpsstraat', 'Utrecht', 'EUR'),
    (6, 1, 'en', 'GB', 'Europe/London',     '+4477',  ' Ltd',  'Mill Lane',   'Leeds',   'GBP');
