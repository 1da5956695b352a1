-- The text of a payment QR code (EPC069-12: a SEPA credit transfer). Drawing it is for who prints.

-- Countries of SEPA with the length of their IBAN. + : within the EEA, where no BIC is needed.
CREATE FUNCTION dunning._iban_lengths() RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT jsonb '{"AT": "20+", "BE": "16+", "BG": "22+", "CY": "28+", "CZ": "24+", "DE": "22+", "DK": "18+", "EE": "20+", "ES": "24+", "FI": "18+", "FR": "27+",
    "GR": "27+", "HR": "21+", "HU": "28+", "IE": "22+", "IS": "26+", "IT": "27+", "LI": "21+", "LT": "20+", "LU": "20+", "LV": "21+", "MT": "31+", "NL": "18+",
    "NO": "15+", "PL": "28+", "PT": "25+", "RO": "24+", "SE": "24+", "SI": "19+", "SK": "24+",
    "AD": "24", "AL": "28", "CH": "21", "GB": "22", "GI": "23", "MC": "27", "MD": "24", "ME": "22", "MK": "19", "RS": "22", "SM": "27", "VA": "22"}' $$;
COMMENT ON FUNCTION dunning._iban_lengths() IS 'SEPA''s countries, each with the length of its IBAN, and + where it is in the EEA.';

-- ISO 7064 mod 97-10 over letters and digits; the four at the front are moved to the end. 1 where the check digits are right.
CREATE FUNCTION dunning._mod97(code text) RETURNS int
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT (string_agg(CASE WHEN c ~ '[0-9]' THEN c ELSE (ascii(c) - 55)::text END, '' ORDER BY n)::numeric % 97)::int
      FROM regexp_split_to_table(substr(code, 5) || left(code, 4), '') WITH ORDINALITY x(c, n) $$;
COMMENT ON FUNCTION dunning._mod97(text) IS 'What is left of a code of letters and digits by ISO 7064 mod 97-10, its first four moved to the end; 1 is right.';

CREATE FUNCTION dunning._iban(account text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    bare  text := upper(regexp_replace(account, '[[:space:]]', '', 'g'));
    known text := dunning._iban_lengths() ->> left(bare, 2);
BEGIN
    IF known IS NULL OR bare !~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{10,30}$' OR length(bare) <> rtrim(known, '+')::int OR dunning._mod97(bare) <> 1 THEN
        RETURN NULL;
    END IF;
    RETURN bare;
END
$$;
COMMENT ON FUNCTION dunning._iban(text) IS 'An IBAN of SEPA without its spaces; NULL where the account is none: unknown country, wrong length, wrong check digits.';

-- A line of the payload is one line; a bank's app would take what follows a break for the next field.
CREATE FUNCTION dunning._epc_line(field text, value text, most int) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    line text := btrim(coalesce(value, ''));
BEGIN
    IF line ~ '[[:cntrl:]]' THEN
        RAISE EXCEPTION 'the % of a payment code is one line without control characters', field
            USING ERRCODE = '22023', HINT = 'Give it as one line.';
    ELSIF length(line) > most THEN
        RAISE EXCEPTION 'the % of a payment code has at most % characters', field, most
            USING ERRCODE = '22023', DETAIL = format('It has %s.', length(line)), HINT = 'EPC069-12 allows no more: shorten it.';
    END IF;
    RETURN line;
END
$$;
COMMENT ON FUNCTION dunning._epc_line(text, text, int) IS 'A field of the payload as one line; 22023 where it breaks or is too long.';

CREATE FUNCTION dunning.epc_payload(name text, account text, amount numeric, remittance text DEFAULT NULL, currency text DEFAULT 'EUR',
        bic text DEFAULT NULL, reference text DEFAULT NULL, purpose text DEFAULT NULL, information text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict error
DECLARE
    iban     text := dunning._iban(account);
    holder   text := dunning._epc_line('name', name, 70);
    bank     text := upper(dunning._epc_line('BIC', bic, 11));
    creditor text := upper(replace(dunning._epc_line('reference', reference, 44), ' ', ''));
    said     text := dunning._epc_line('remittance', remittance, 140);
    code     text := upper(dunning._epc_line('purpose', purpose, 4));
    hint_    constant text := 'SELECT dunning.epc_payload(''Nordlys Energi'', ''DK50 0040 0440 1162 43'', 1240.50, ''F-1042-7'');';
    payload  text;
BEGIN
    IF currency IS DISTINCT FROM 'EUR' THEN
        RAISE EXCEPTION 'a payment code is for euro alone' USING ERRCODE = '22023', DETAIL = format('The currency is %s.', coalesce(currency, 'NULL')),
            HINT = 'A SEPA credit transfer knows no other currency: leave the code out.';
    ELSIF iban IS NULL THEN
        RAISE EXCEPTION 'the account of a payment code is no IBAN of SEPA' USING ERRCODE = '22023',
            DETAIL = 'Country, length and check digits must fit.', HINT = hint_;
    ELSIF amount IS NULL OR amount = 'NaN' OR amount < 0.01 OR amount > 999999999.99 OR amount <> round(amount, 2) THEN
        RAISE EXCEPTION 'a payment code cannot ask for %', coalesce(amount::text, 'NULL') USING ERRCODE = '22023',
            DETAIL = 'Amounts go from 0.01 to 999999999.99 in whole cents.', HINT = hint_;
    ELSIF holder = '' THEN
        RAISE EXCEPTION 'a payment code names who is paid' USING ERRCODE = '22023', HINT = hint_;
    ELSIF bank <> '' AND bank !~ '^[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?$' THEN
        RAISE EXCEPTION 'the BIC of a payment code has 8 or 11 letters and digits' USING ERRCODE = '22023', HINT = 'Leave it out within the EEA.';
    ELSIF bank = '' AND dunning._iban_lengths() ->> left(iban, 2) NOT LIKE '%+' THEN
        RAISE EXCEPTION 'a payment to % needs the BIC of the bank', left(iban, 2) USING ERRCODE = '22023',
            DETAIL = 'It may be left out within the EEA only.', HINT = 'bic => ''...''';
    ELSIF creditor <> '' AND said <> '' THEN
        RAISE EXCEPTION 'a payment code has a reference or a remittance text, not both' USING ERRCODE = '22023', HINT = 'Leave one of them out.';
    ELSIF creditor <> '' AND (creditor !~ '^RF[0-9]{2}[A-Z0-9]{1,21}$' OR dunning._mod97(creditor) <> 1) THEN
        RAISE EXCEPTION 'the reference of a payment code is no creditor reference' USING ERRCODE = '22023',
            DETAIL = 'ISO 11649: RF, two check digits that fit, at most 21 letters and digits.', HINT = 'Give an invoice number as remittance.';
    ELSIF code <> '' AND code !~ '^[A-Z]{1,4}$' THEN
        RAISE EXCEPTION 'the purpose of a payment code has at most four letters' USING ERRCODE = '22023', HINT = 'Such as GDDS, or leave it out.';
    END IF;
    -- Version 002 (BIC optional), character set 1 (UTF-8); no line end after the last line that says something.
    payload := rtrim(concat_ws(E'\n', 'BCD', '002', '1', 'SCT', bank, holder, iban, 'EUR' || round(amount, 2), code, creditor, said,
                               dunning._epc_line('information', information, 70)), E'\n');
    IF octet_length(convert_to(payload, 'UTF8')) > 331 THEN
        RAISE EXCEPTION 'a payment code holds at most 331 bytes' USING ERRCODE = '22023',
            DETAIL = format('This one has %s.', octet_length(convert_to(payload, 'UTF8'))), HINT = 'Shorten the remittance text.';
    END IF;
    RETURN payload;
END
$$;
COMMENT ON FUNCTION dunning.epc_payload(text, text, numeric, text, text, text, text, text, text) IS
    'The text of a QR code that a banking app reads as a SEPA credit transfer (EPC069-12, version 002, UTF-8, to be drawn with error correction M). 22023 where the account is no IBAN of SEPA, the currency not EUR, the amount not 0.01 to 999999999.99, a field too long or of several lines; outside of the EEA a bic is needed. Either remittance (140 characters) or an ISO 11649 reference. Role dunning_viewer.';
GRANT EXECUTE ON FUNCTION dunning.epc_payload(text, text, numeric, text, text, text, text, text, text) TO dunning_viewer, dunning_worker;
