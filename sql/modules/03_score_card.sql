-- score: models as text: the expression that gives the same score, and the card that a scorecard is.

CREATE FUNCTION dunning.model_sql(model text) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dun_score_sql_model_sql';
COMMENT ON FUNCTION dunning.model_sql(text) IS
'SQL expression over columns named as the model''s features that gives what predict() gives; numbers must cast to float8, so an interval must come as days. DN004 where the kind has none. Needs dunning_viewer.';

CREATE FUNCTION dunning.scorecard(model text)
    RETURNS TABLE (feature text, bin text, special boolean, share float8, woe float8, contribution float8, points int)
    LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 100 AS 'MODULE_PATHNAME', 'dun_score_sql_scorecard';
COMMENT ON FUNCTION dunning.scorecard(text) IS
'A scorecard''s table, one row a bin: feature (two for a pair), bin as a condition, whether it is a special value, share of the training rows, weight of evidence (log-odds against all rows; NULL for a pair), contribution to the log-odds, points. The row without a feature is what everyone begins with; points add up to base_points at even odds, pdo more for twice the odds. Rounded, so a sum may be off by half a point a feature; before calibration. DN004 for another kind. Needs dunning_viewer.';

GRANT EXECUTE ON FUNCTION dunning.model_sql(text), dunning.scorecard(text) TO dunning_viewer;
