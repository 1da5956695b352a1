-- A second creditor: its own names, its own mail server; its customers are in the same billing schema.
INSERT INTO billing.customer VALUES (2001, 'south', 'Karen Madsen', 'Karen', 'da', 'DK', 'karen@example.dk', NULL, NULL);
INSERT INTO billing.bill VALUES (2001, 2001, '2026-05-01', '2026-05-28', 480, 'DKK');
SET SESSION AUTHORIZATION manager;
-- task
SELECT dunning.save_creditor('south', 'Sydvand', sender_name => 'Ole, Sydvand', phone => '+4576543210', account => 'DK9330000000000001', language => 'da');
CREATE SERVER mail_south TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'spool', directory 'mail', creditor 'south');
CREATE USER MAPPING FOR dunning_worker SERVER mail_south;
-- check
RESET SESSION AUTHORIZATION;
SET dunning.clock = '2026-06-10 20:00+02';
SELECT dunning.ledger_loaded('payment', dunning._now());
CALL dunning.daily('south');
SELECT test.is_so('her message goes through her creditor''s server', server = 'mail_south' AND creditor = 'south') FROM dunning.message WHERE debtor_id = '2001';
SELECT test.is_so('and no other message does', NOT EXISTS (SELECT FROM dunning.message WHERE server = 'mail_south' AND creditor <> 'south'));
SET dunning.clock = '2026-06-17 12:00+02';
SELECT dunning.ledger_loaded('payment', dunning._now());
CALL dunning.deliver();
SELECT test.is_so('it names her creditor alone', b.body_text ~ 'Sydvand' AND b.body_text !~ 'Nordlys|4570102030|DK5000400440116243' AND b.subject !~ 'Nordlys')
FROM dunning.body b WHERE b.debtor_id = '2001';
SELECT test.is_so('it left', EXISTS (SELECT FROM dunning.egress WHERE debtor_id = '2001' AND server = 'mail_south'));
SELECT test.is_so('no message of the other names hers', NOT EXISTS (SELECT FROM dunning.body WHERE creditor = 'north' AND body_text ~ 'Sydvand|4576543210'));
SELECT test.is_so('costs are apart', count(*) = 1) FROM dunning.costs('2026-06-01', '2026-07-01') WHERE creditor = 'south';
