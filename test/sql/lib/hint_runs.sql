\set ECHO none
-- Does the HINT of a call that is refused run as printed? What it did is taken back; else the error, or the hint, is told.
CREATE FUNCTION pg_temp.hint_runs(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE hint text := 'it was accepted';
BEGIN
    BEGIN
        EXECUTE call;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
        EXECUTE hint;
        RAISE EXCEPTION USING ERRCODE = 'TEST1', MESSAGE = 'runs as printed';      -- and is taken back
    END;
    RETURN hint;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLERRM;
END $$;
\set ECHO all
