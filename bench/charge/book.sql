-- A book of :n debtors with one overdue invoice each and :past paid ones before it, in five countries; fees and interest on.
SELECT dunning._ensure_partitions();
SELECT dunning.save_creditor('ch', 'Charging Ltd');
SELECT dunning.save_charging('ch', fees => true, interest => true, terms => '{reminder_fee,default_notice}');
SELECT dunning.set_rate('DK-lending', 3.5, '2024-07-01', '2024-12-31', 'bench'), dunning.set_rate('DK-lending', 3.0, '2025-01-01', '2025-06-30', 'bench'),
    dunning.set_rate('DK-lending', 2.5, '2025-07-01', '2026-12-31', 'bench');
INSERT INTO dunning.debtor (debtor_id, creditor, country, kind, name, email)
SELECT 'd' || i, 'ch', (ARRAY['DK', 'SE', 'NO', 'NL', 'DE'])[1 + i % 5], CASE WHEN i % 4 = 0 THEN 'company' ELSE 'person' END, 'Name', 'd' || i || '@debtors.test' FROM generate_series(1, :n) i;
INSERT INTO dunning.invoice (debtor_id, invoice_id, creditor, issued_on, due_on, amount, currency)
SELECT 'd' || i, 'i' || i || '-' || k, 'ch', date '2026-05-20' - 60 - i % 40 - 30 * k, date '2026-05-20' - 30 - i % 40 - 30 * k, 500 + i % 977, (ARRAY['DKK', 'SEK', 'NOK', 'EUR', 'EUR'])[1 + i % 5]
FROM generate_series(1, :n) i, generate_series(0, :past) k;
INSERT INTO dunning.payment (debtor_id, payment_id, creditor, paid_at, amount, currency, invoice_id)
SELECT l.debtor_id, 'p' || l.invoice_id, 'ch', l.due_on + 4 + time '12:00', l.amount, l.currency, l.invoice_id FROM dunning.invoice l WHERE l.invoice_id !~ '-0$';
INSERT INTO dunning.payment (debtor_id, payment_id, creditor, paid_at, amount, currency, invoice_id)
SELECT l.debtor_id, 'q' || l.invoice_id, 'ch', l.due_on + 9 + time '12:00', 100, l.currency, NULL FROM dunning.invoice l WHERE l.invoice_id ~ '-0$' AND :past > 0;
VACUUM ANALYZE;
