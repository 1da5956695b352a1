-- An offer of record for every :every-th debtor.
SELECT count(*) FROM dunning._make_offers(ARRAY(SELECT id::text FROM billing.customer WHERE id % :every = 0), ARRAY(SELECT 'promise'::text FROM billing.customer WHERE id % :every = 0), NULL);
