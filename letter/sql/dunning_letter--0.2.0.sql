\echo Use "CREATE EXTENSION dunning_letter" to load this file. \quit
-- dunning_letter: letters as PDF, drawn in the backend with fonts of the machine; nothing is read or written but those.

CREATE FUNCTION dunning._letter_pdf(subject text, body_text text, address text, qr text, sender text, note text, dated text, language text, at_window boolean)
    RETURNS bytea
    LANGUAGE c STABLE PARALLEL RESTRICTED COST 100000 AS 'MODULE_PATHNAME', 'dun_letter_sql_pdf';
COMMENT ON FUNCTION dunning._letter_pdf(text, text, text, text, text, text, text, text, boolean) IS
    'A letter as PDF; every part but body_text may be NULL. 22023 text that no letter can show or no QR code can hold, 53400 longer than 20 pages or 64 kB of text.';

CREATE FUNCTION dunning.letter_qr_svg(payload text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'dun_letter_sql_qr_svg';
COMMENT ON FUNCTION dunning.letter_qr_svg(text) IS
    'A QR code (error correction M) of a text of at most 331 bytes as SVG, for letter_html() and web pages; one unit a module, four units of quiet zone. 22023 empty or too long. Role dunning_viewer.';

CREATE FUNCTION dunning.letter_pdf(subject text, body_text text, address text, qr text, sender text DEFAULT NULL, note text DEFAULT NULL,
        dated text DEFAULT NULL, language text DEFAULT 'en', at_window boolean DEFAULT false) RETURNS bytea
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
BEGIN
    RETURN dunning._letter_pdf(subject, body_text, address, qr, sender, note, dated, language, at_window);
END
$$;
COMMENT ON FUNCTION dunning.letter_pdf(text, text, text, text, text, text, text, text, boolean) IS
    'A letter on A4 as PDF: sender and date, address (at_window: where a window envelope shows it), subject, words, a note in a written hand, and the QR code of a text of at most 331 bytes such as epc_payload(). The same letter is the same bytes. 22023 no text or a bad one, 53400 longer than 20 pages or 64 kB. Role dunning_operator.';

CREATE FUNCTION dunning.letter_pdf(message_id uuid, at_window boolean DEFAULT NULL) RETURNS bytea
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
BEGIN
    RETURN (SELECT dunning._letter_pdf(l.subject, l.body_text, l.address, l.qr, l.sender, l.note, l.dated, l.language, coalesce(letter_pdf.at_window, l.at_window))
            FROM dunning._letter(letter_pdf.message_id) l);
END
$$;
COMMENT ON FUNCTION dunning.letter_pdf(uuid, boolean) IS
    'A message as a letter in PDF: the frozen words and address, else as they would be now, the personal note of the context''s "note", and the payment code where account and currency have one; at_window NULL is as the step''s print field "window" says, else false. 22023 unknown message. Role dunning_operator.';

DO $do$
DECLARE
    call regprocedure;
BEGIN
    FOREACH call IN ARRAY ARRAY['dunning._letter_pdf(text, text, text, text, text, text, text, text, boolean)', 'dunning.letter_qr_svg(text)',
        'dunning.letter_pdf(text, text, text, text, text, text, text, text, boolean)', 'dunning.letter_pdf(uuid, boolean)']::regprocedure[]
    LOOP
        EXECUTE pg_catalog.format('ALTER FUNCTION %s OWNER TO dunning_owner', call);
        EXECUTE pg_catalog.format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', call);
    END LOOP;
END
$do$;
GRANT EXECUTE ON FUNCTION dunning.letter_qr_svg(text) TO dunning_viewer;
GRANT EXECUTE ON FUNCTION dunning.letter_pdf(text, text, text, text, text, text, text, text, boolean), dunning.letter_pdf(uuid, boolean) TO dunning_operator, dunning_worker;
