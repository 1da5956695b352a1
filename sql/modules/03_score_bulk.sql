-- score: many rows at a time: a version as a function of plain values, and a query's rows into a table that is swapped in.

-- The cost is that of a hundred trees: so the planner sees that workers pay.
CREATE FUNCTION dunning._predict_values(model text, version int, VARIADIC "values" "any") RETURNS float8
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'dun_score_sql_predict_values';
COMMENT ON FUNCTION dunning._predict_values(text, int, "any") IS 'predict() of one version for the values of its features, in the order of its body: what functions made by create_predictor() call.';

CREATE FUNCTION dunning.create_predictor(model text, function text, version int DEFAULT NULL) RETURNS text
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dun_score_sql_create_predictor';
COMMENT ON FUNCTION dunning.create_predictor(text, text, int) IS
'Signature of a function that was made, with the caller''s rights, of one version of a model (NULL: the champion, else the newest): predict() for plain arguments, numbers as float8, dates as timestamp in UTC. '
'It is inlined, parallel safe, immutable, and several times as fast as predict() with a record. It stays with its version: make it anew after promote(). 54023 for more than 98 features, 42723 where there is such a function. Needs dunning_operator and CREATE on the schema.';

CREATE FUNCTION dunning.score_rows(model text, query text, key text, result text,
    OUT version int, OUT n bigint, OUT mean float8, OUT in_workers boolean, OUT seconds float8)
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dun_score_sql_score_rows';
COMMENT ON FUNCTION dunning.score_rows(text, text, text, text) IS
'Scores each row of a query by a model''s champion (or newest version) into table result: the query''s column key, p (the probability), version; NULL: nothing is stored. Returns the version, rows, mean of p, whether parallel workers scored, and seconds. '
'The table is made where there is none, partitioned by version. Rows go into a fresh partition with key as its primary key, which replaces the others at the end: readers see all of the old scores or all of the new ones, and wait only from the swap to the end of the transaction; where one reads for longer than a minute (or lock_timeout), those after it wait too. '
'Query and table are the caller''s, with the caller''s rights. 42703 lists the columns, 23505 for a key that comes twice, 23502 for one that is null, 42809 for a table that is not such a one. Needs dunning_operator.';

CREATE FUNCTION dunning._swap_rows(target regclass, fresh regclass) RETURNS void
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dun_score_sql_swap_rows';
COMMENT ON FUNCTION dunning._swap_rows(regclass, regclass) IS 'Gives target the rows of a table made like it, which is dropped; target''s indexes are built anew. 23505 where they find rows twice; readers of target wait until the end of the transaction.';

-- What score() has made, without the second rows of debtors that have two.
CREATE FUNCTION dunning._publish_scores() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    BEGIN
        PERFORM dunning._swap_rows('dunning.score_result', 'dunning.score_fresh');
    EXCEPTION WHEN unique_violation THEN
        -- such a debtor is held by the gate and must not stop the others
        EXECUTE 'DELETE FROM dunning.score_fresh a USING dunning.score_fresh b WHERE a.debtor_id = b.debtor_id AND a.ctid > b.ctid';
        PERFORM dunning._swap_rows('dunning.score_result', 'dunning.score_fresh');
    END;
END
$fn$;
COMMENT ON FUNCTION dunning._publish_scores() IS 'Swaps table score_fresh, which score() has made, in as score_result.';

GRANT EXECUTE ON FUNCTION dunning.score_rows(text, text, text, text) TO dunning_operator;
GRANT EXECUTE ON FUNCTION dunning._predict_values(text, int, "any") TO dunning_viewer;
GRANT EXECUTE ON FUNCTION dunning.create_predictor(text, text, int) TO dunning_operator;
