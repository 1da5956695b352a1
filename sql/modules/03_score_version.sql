-- score: versions of a model and what became of them: promote, rollback, retire, export.

-- Each change of a champion, so that it can be taken back. `replaced` is the version to go back to; `stands_for` is the promotion that holds, which
-- after a rollback is the one before that it took back.
CREATE TABLE dunning.model_change (
    model           text COLLATE "C" NOT NULL,
    change          int NOT NULL,
    version         int NOT NULL,
    from_state      text NOT NULL,
    to_state        text NOT NULL CHECK (to_state IN ('champion', 'challenger', 'retired')),
    replaced        int,
    stands_for      int,
    changed_at      timestamptz NOT NULL,
    changed_by      text NOT NULL,
    PRIMARY KEY (model, change)
);
COMMENT ON TABLE dunning.model_change IS 'What promote(), rollback() and retire() did: one row a change, with who and when; replaced is the champion before, to which rollback() goes back; stands_for the change by which the champion had come to be it (0: as the first version).';
GRANT SELECT ON dunning.model_change TO dunning_viewer;
SELECT pg_catalog.pg_extension_config_dump('dunning.model_change', '');

-- Takes the name's lock for the rest of the transaction, and says what state a version has.
CREATE FUNCTION dunning._lock_version(model text, version int) RETURNS text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    known text;
    state text;
BEGIN
    PERFORM pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('dunning.model ' || _lock_version.model, 0));
    SELECT m.state INTO state FROM dunning.model m WHERE m.model = _lock_version.model AND m.version = _lock_version.version;
    IF NOT FOUND THEN
        SELECT string_agg(m.version || ' (' || m.state || ')', ', ' ORDER BY m.version) INTO known
        FROM dunning.model m WHERE m.model = _lock_version.model;
        RAISE EXCEPTION 'model "%" has no version %', _lock_version.model, coalesce(_lock_version.version::text, 'NULL')
            USING ERRCODE = '42704',
                  DETAIL = CASE WHEN known IS NULL THEN 'There is no model of this name.' ELSE format('Its versions are %s.', known) END,
                  HINT = 'SELECT model, version, state, metrics FROM dunning.model ORDER BY 1, 2;';
    END IF;
    RETURN state;
END
$fn$;
COMMENT ON FUNCTION dunning._lock_version(text, int) IS 'The state of a version, its name locked against other changes; 42704 for an unknown one.';

-- Makes a version the champion; the one it replaces is retired.
CREATE FUNCTION dunning._make_champion(model text, version int, from_state text, go_back_to int, stands_for int DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
BEGIN
    UPDATE dunning.model m SET state = 'retired' WHERE m.model = _make_champion.model AND m.state = 'champion' AND m.version <> _make_champion.version;
    UPDATE dunning.model m SET state = 'champion' WHERE m.model = _make_champion.model AND m.version = _make_champion.version;
    INSERT INTO dunning.model_change (model, change, version, from_state, to_state, replaced, stands_for, changed_at, changed_by)
    SELECT _make_champion.model, coalesce(max(c.change), 0) + 1, _make_champion.version, _make_champion.from_state, 'champion', _make_champion.go_back_to,
           coalesce(_make_champion.stands_for, max(c.change) + 1, 1), dunning._now(), session_user
    FROM dunning.model_change c WHERE c.model = _make_champion.model;
END
$fn$;
COMMENT ON FUNCTION dunning._make_champion(text, int, text, int, int) IS 'A version becomes champion, with a row of model_change, by a promotion of its own or (stands_for) by one before; called with the name locked.';

CREATE FUNCTION dunning.promote(model text, version int) RETURNS text
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    before text := dunning._lock_version(promote.model, promote.version);
BEGIN
    IF before <> 'champion' THEN
        PERFORM dunning._make_champion(promote.model, promote.version, before,
            (SELECT m.version FROM dunning.model m WHERE m.model = promote.model AND m.state = 'champion'));
    END IF;
    RETURN before;
END
$fn$;
COMMENT ON FUNCTION dunning.promote(text, int) IS
'The state a version had before it became the model''s champion; the champion it replaces is retired and can be promoted again. The next statement predicts with it. 42704 for an unknown version. Needs dunning_admin.';

CREATE FUNCTION dunning.rollback(model text) RETURNS int
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    champion int;
    promotion int;
    target int;
    earlier int;
    before text;
BEGIN
    PERFORM pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('dunning.model ' || rollback.model, 0));
    SELECT m.version INTO champion FROM dunning.model m WHERE m.model = rollback.model AND m.state = 'champion';
    -- how it came to be champion the last time
    SELECT c.stands_for, c.replaced INTO promotion, target FROM dunning.model_change c
    WHERE c.model = rollback.model AND c.version = champion AND c.to_state = 'champion' ORDER BY c.change DESC LIMIT 1;
    IF champion IS NULL OR target IS NULL THEN
        RAISE EXCEPTION 'model "%" has no earlier champion', rollback.model
            USING ERRCODE = '55000',
                  DETAIL = CASE WHEN champion IS NULL THEN 'It has no champion at all.' ELSE format('Version %s was its first.', champion) END,
                  HINT = format('SELECT dunning.promote(%L, version);', rollback.model);
    END IF;
    before := dunning._lock_version(rollback.model, target);
    -- and how the one before had: a version may have been champion several times
    earlier := coalesce((SELECT c.stands_for FROM dunning.model_change c
                         WHERE c.model = rollback.model AND c.change < promotion AND c.to_state = 'champion' ORDER BY c.change DESC LIMIT 1), 0);
    PERFORM dunning._make_champion(rollback.model, target, before,
        (SELECT c.replaced FROM dunning.model_change c WHERE c.model = rollback.model AND c.change = earlier), earlier);
    RETURN target;
END
$fn$;
COMMENT ON FUNCTION dunning.rollback(text) IS
'The version that is a model''s champion again: the one that the present champion replaced, which is retired. Once more goes back once more. The next statement predicts with it. 55000 where there was none before. Needs dunning_admin.';

CREATE FUNCTION dunning.retire(model text, version int) RETURNS text
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    before text := dunning._lock_version(retire.model, retire.version);
BEGIN
    IF before = 'champion' THEN
        RAISE EXCEPTION 'version % is the champion of model "%"', retire.version, retire.model
            USING ERRCODE = '55000', DETAIL = 'Predictions are made with it.', HINT = format('SELECT dunning.promote(%L, version); first, or dunning.rollback(%L).', retire.model, retire.model);
    END IF;
    IF before <> 'retired' THEN
        UPDATE dunning.model m SET state = 'retired' WHERE m.model = retire.model AND m.version = retire.version;
        INSERT INTO dunning.model_change (model, change, version, from_state, to_state, replaced, changed_at, changed_by)
        SELECT retire.model, coalesce(max(c.change), 0) + 1, retire.version, before, 'retired', NULL, dunning._now(), session_user
        FROM dunning.model_change c WHERE c.model = retire.model;
    END IF;
    RETURN before;
END
$fn$;
COMMENT ON FUNCTION dunning.retire(text, int) IS 'The state a version had before it was retired; it can be promoted again. 55000 for a champion, 42704 for an unknown version. Needs dunning_admin.';

CREATE FUNCTION dunning.export_model(model text, version int DEFAULT NULL) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict error
DECLARE
    wanted int := coalesce(export_model.version, (SELECT m.version FROM dunning.model m WHERE m.model = export_model.model ORDER BY m.state = 'champion' DESC, m.version DESC LIMIT 1));
    result jsonb;
    is_of text;
    stored text;
BEGIN
    SELECT jsonb_build_object('model', m.model, 'version', m.version, 'kind', m.kind, 'state', m.state, 'target', m.target, 'query', m.query, 'label', m.label,
               'seed', m.seed, 'n', m.n, 'as_of', m.as_of, 'trained_at', m.trained_at, 'trained_by', m.trained_by, 'extension', (SELECT e.extversion FROM pg_extension e WHERE e.extname = 'dunning'),
               'metrics', m.metrics, 'feature_stats', m.feature_stats, 'digest', m.digest, 'body', m.body),
           encode(sha256(convert_to(m.body::text, 'UTF8')), 'hex'), m.digest
    INTO result, is_of, stored
    FROM dunning.model m WHERE m.model = export_model.model AND m.version = wanted;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'model "%" has no version %', export_model.model, coalesce(export_model.version::text, 'at all')
            USING ERRCODE = '42704', HINT = 'SELECT model, version, state, metrics FROM dunning.model ORDER BY 1, 2;';
    END IF;
    IF is_of <> stored THEN
        RAISE EXCEPTION 'version % of model "%" was changed after it was trained', wanted, export_model.model
            USING ERRCODE = 'DN004', DETAIL = format('Its digest is %s, its body has %s.', stored, is_of), HINT = 'Train it again, or promote another version.';
    END IF;
    RETURN result;
END
$fn$;
COMMENT ON FUNCTION dunning.export_model(text, int) IS
'A version (NULL: the champion, else the newest) as one JSON document: body, query, seed, metrics, feature statistics, and digest, the SHA-256 in hex of the text of body as jsonb. 42704 for an unknown version, DN004 for one whose body is not what its digest says. Needs dunning_admin.';

GRANT EXECUTE ON FUNCTION dunning.promote(text, int), dunning.rollback(text), dunning.retire(text, int), dunning.export_model(text, int) TO dunning_admin;
