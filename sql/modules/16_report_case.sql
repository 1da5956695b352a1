-- What was handed over and written off, what came of it, and what an agency keeps of that.

CREATE FUNCTION dunning._report_cases(as_of timestamptz)
    RETURNS TABLE (kind text, recipient text, currency text, cases bigint, amount numeric, collected numeric, commission numeric)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
BEGIN
    RETURN QUERY
        SELECT c.kind, c.recipient, a.key, count(*), sum(a.value::numeric), coalesce(sum((c.collected ->> a.key)::numeric), 0), sum((c.commission ->> a.key)::numeric)
        FROM dunning._cases() c CROSS JOIN LATERAL jsonb_each_text(c.amounts) a
        WHERE c.state IN ('approved', 'taken_back') AND c.decided_at <= coalesce(_report_cases.as_of, dunning._now())
        GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
END
$$;
COMMENT ON FUNCTION dunning._report_cases(timestamptz) IS 'One row a kind of end, recipient and currency: cases decided until an instant, their sums, what came in since, and the commission on it (NULL: none is agreed).';

CREATE FUNCTION dunning._report_cases_html(as_of timestamptz, l jsonb) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
#variable_conflict error
DECLARE
    found_rows text;
    lang text := l ->> 'lang';
BEGIN
    IF NOT EXISTS (SELECT FROM dunning.handover v WHERE v.state IN ('approved', 'taken_back')) THEN
        RETURN '';
    END IF;
    SELECT string_agg(dunning._html_row(ARRAY[l ->> ('case_' || c.kind), coalesce(c.recipient, ''), dunning._number(c.cases, lang), dunning._number(c.amount, lang, 2) || ' ' || c.currency,
               dunning._number(c.collected, lang, 2) || ' ' || c.currency, coalesce(dunning._number(c.commission, lang, 2) || ' ' || c.currency, '')]), '' ORDER BY c.kind, c.recipient, c.currency)
    INTO found_rows FROM dunning._report_cases(as_of) c;
    RETURN format('<h2>%s</h2>', dunning._html(l ->> 'cases'))
        || coalesce(dunning._html_table(ARRAY[l ->> 'what', l ->> 'recipient', '>' || (l ->> 'debtors'), '>' || (l ->> 'amount'), '>' || (l ->> 'collected'), '>' || (l ->> 'commission')], found_rows), '');
END
$$;
COMMENT ON FUNCTION dunning._report_cases_html(timestamptz, jsonb) IS 'Hand-overs and write-offs as HTML; empty where there are none.';
