-- The same book, the same habits, the same draws and the same days, with a letter at 10, 20 and 30 days past due instead. One letter a
-- debtor and day, about all that is then overdue; on the first day what was missed is caught up once; not sent once it is paid.
CREATE TABLE demo.letter (kundenr bigint, at timestamptz, PRIMARY KEY (kundenr, at));

CREATE PROCEDURE demo.letters(t0 date, t1 date) LANGUAGE plpgsql AS $$
DECLARE
    this date;
    ten timestamptz;
BEGIN
    CREATE TEMP TABLE unpaid ON COMMIT DROP AS
    SELECT t.*, h.by_letter, h.heeds, 0::bigint AS n, NULL::timestamptz AS pays_at FROM demo.truth t JOIN demo.habit h USING (kundenr)
    WHERE t.forfald < t1 AND (t.natural_at IS NULL OR t.natural_at >= t0);
    CREATE INDEX ON unpaid (kundenr);
    ANALYZE unpaid;
    FOR this IN SELECT generate_series(t0, t1, '1 day') LOOP
        ten := (this + time '10:00') AT TIME ZONE 'Europe/Copenhagen';
        INSERT INTO demo.letter
        SELECT DISTINCT u.kundenr, ten FROM unpaid u
        WHERE (this - u.forfald IN (10, 20, 30) OR (this = t0 AND this - u.forfald >= 10)) AND (least(u.natural_at, u.pays_at) IS NULL OR least(u.natural_at, u.pays_at) > ten);
        UPDATE unpaid u SET n = u.n + 1, pays_at = CASE WHEN demo.moves(u.fakturanr, u.n + 1, u.by_letter, u.heeds, false) THEN demo.pays_at(u.fakturanr, u.n + 1, 'letter', ten, u.tied, u.payday) END
        FROM demo.letter l
        WHERE l.kundenr = u.kundenr AND l.at = ten AND u.forfald < this AND u.pays_at IS NULL AND (u.natural_at IS NULL OR u.natural_at > ten);
    END LOOP;
    INSERT INTO demo.told SELECT 'letters', u.fakturanr, u.n, 'letter', u.pays_at, u.pays_at FROM unpaid u WHERE u.pays_at IS NOT NULL;
END $$;
