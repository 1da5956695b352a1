-- charge: pure functions over values. Sums stay exact: quotients are taken once, at the end, and rounded half up there.

CREATE FUNCTION dunning._minor_digits(currency text) RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN $1 IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 0
            WHEN $1 IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 3 ELSE 2 END;
COMMENT ON FUNCTION dunning._minor_digits(text) IS 'Decimals of a currency''s minor unit (ISO 4217).';

CREATE FUNCTION dunning._quotient(numerator numeric, denominator numeric, digits int) RETURNS numeric
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN round(sign($1) * div(abs($1) * 2 * power(10::numeric, $3) + $2, 2 * $2) / power(10::numeric, $3), $3);
COMMENT ON FUNCTION dunning._quotient(numeric, numeric, int) IS 'The exact quotient by a positive number, rounded half up (away from zero) once.';

-- A year is this many units, a span so many: with 133590 = 365 * 366 the days of common and leap years have one denominator.
CREATE FUNCTION dunning._year_units(day_count text) RETURNS numeric
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE $1 WHEN 'act/365' THEN 365 WHEN 'act/360' THEN 360 WHEN '30/360' THEN 360 WHEN 'act/act' THEN 133590 END::numeric;
COMMENT ON FUNCTION dunning._year_units(text) IS 'Units of a year under a day count.';

CREATE FUNCTION dunning._span_units(day_count text, from_on date, until_on date) RETURNS numeric
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE $1
    -- 30E/360 as a difference of one function of the day, so that a span is the sum of its parts
    WHEN '30/360' THEN (360 * (date_part('year', $3) - date_part('year', $2)) + 30 * (date_part('month', $3) - date_part('month', $2))
                        + least(date_part('day', $3), 30) - least(date_part('day', $2), 30))::numeric
    WHEN 'act/act' THEN (SELECT sum((least($3, make_date(y + 1, 1, 1)) - greatest($2, make_date(y, 1, 1)))
                                    * (make_date(y + 1, 1, 1) - make_date(y, 1, 1) = 365)::int + (least($3, make_date(y + 1, 1, 1)) - greatest($2, make_date(y, 1, 1))) * 365)
                         FROM generate_series(date_part('year', $2)::int, date_part('year', $3 - 1)::int) y)::numeric
    ELSE ($3 - $2)::numeric END;
COMMENT ON FUNCTION dunning._span_units(text, date, date) IS 'Units from a day (counted) until another (not counted).';

CREATE FUNCTION dunning._round_up(value numeric, step numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN $2 IS NULL THEN $1 ELSE -div(-$1, $2) * $2 + CASE WHEN $1 > -div(-$1, $2) * $2 THEN $2 ELSE 0 END END;
COMMENT ON FUNCTION dunning._round_up(numeric, numeric) IS 'The value, rounded up to a multiple of the step where there is one.';

CREATE FUNCTION dunning._fee_amount(amount numeric, tiers jsonb, minimum numeric, maximum numeric, claim numeric, digits int) RETURNS numeric
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    tier jsonb;
    below numeric := 0;
    share numeric;
    hundredths numeric := 0;
    fee numeric := _fee_amount.amount;
BEGIN
    IF _fee_amount.tiers -> 0 ? 'amount' THEN
        FOR tier IN SELECT t.t FROM jsonb_array_elements(_fee_amount.tiers) WITH ORDINALITY t(t, n) ORDER BY t.n LOOP
            fee := (tier ->> 'amount')::numeric;
            EXIT WHEN NOT tier ? 'below' OR _fee_amount.claim < (tier ->> 'below')::numeric;
        END LOOP;
    ELSIF _fee_amount.tiers IS NOT NULL THEN
        FOR tier IN SELECT t.t FROM jsonb_array_elements(_fee_amount.tiers) WITH ORDINALITY t(t, n) ORDER BY t.n LOOP
            share := least(_fee_amount.claim, coalesce((tier ->> 'upto')::numeric, _fee_amount.claim)) - below;
            EXIT WHEN share <= 0;
            hundredths := hundredths + share * (tier ->> 'percent')::numeric;
            below := below + share;
        END LOOP;
        fee := dunning._quotient(hundredths, 100, _fee_amount.digits);
    END IF;
    RETURN round(least(greatest(fee, _fee_amount.minimum), _fee_amount.maximum), _fee_amount.digits);
END
$fn$;
COMMENT ON FUNCTION dunning._fee_amount(numeric, jsonb, numeric, numeric, numeric, int) IS
    'A fee on a claim: a fixed amount, the amount of its bracket, or percents share by share, within minimum and maximum.';

CREATE FUNCTION dunning._clear(clearing text[], payment numeric, INOUT costs numeric, INOUT interest numeric, INOUT principal numeric, OUT "left" numeric)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    part text;
    due numeric;
BEGIN
    IF NOT (clearing @> '{costs,interest,principal}' AND cardinality(clearing) = 3) OR payment < 0 OR least(costs, interest, principal) < 0
       OR num_nulls(clearing, payment, costs, interest, principal) > 0 THEN
        RAISE EXCEPTION 'a payment cannot be cleared like this' USING ERRCODE = '22023',
            DETAIL = format('Order %s, payment %s, costs %s, interest %s, principal %s.', clearing, payment, costs, interest, principal),
            HINT = 'SELECT * FROM dunning._clear(''{costs,interest,principal}'', 100, 12.50, 3.20, 400);';
    END IF;
    "left" := payment;
    FOREACH part IN ARRAY clearing LOOP
        due := least("left", CASE part WHEN 'costs' THEN costs WHEN 'interest' THEN interest ELSE principal END);
        "left" := "left" - due;
        CASE part WHEN 'costs' THEN costs := costs - due; WHEN 'interest' THEN interest := interest - due; ELSE principal := principal - due; END CASE;
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION dunning._clear(text[], numeric, numeric, numeric, numeric) IS
    'What is still open of costs, interest and principal after a payment that clears them in this order, and what is left of the payment. German law (BGB 367): costs, interest, principal. 22023 on a negative sum or an order that lacks a part.';
