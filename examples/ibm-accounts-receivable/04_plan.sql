-- The book as it stood on 2013-06-30: score it, plan its next contacts, allow delivery.
SET dunning.clock = '2013-06-30 09:00+00';
SELECT segment, debtors, overdue FROM dunning.score();
SELECT step, channel, state, count(*) AS contacts, min(contact_at) AS first, max(contact_at) AS last, min(reason) AS reason
FROM dunning.plan() GROUP BY step, channel, state ORDER BY count(*) DESC;
SELECT dunning.activate();
