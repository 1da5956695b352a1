-- Bricks of the HTML report: escaping, numbers, tables, bars and lines. Pure functions over values.

CREATE FUNCTION dunning._html(value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$ SELECT replace(replace(replace(replace(replace(coalesce(value, ''), '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;') $$;
COMMENT ON FUNCTION dunning._html(text) IS 'Text made safe as content and as a quoted attribute of HTML; NULL is empty.';

CREATE FUNCTION dunning._number(value numeric, language text, decimals int DEFAULT 0) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$
    SELECT CASE WHEN value IS NULL THEN '–'
           WHEN language = 'en' THEN plain
           WHEN language IN ('sv', 'nb') THEN translate(plain, ',.', U&'\00A0,')
           ELSE translate(plain, ',.', '.,') END
    FROM (SELECT btrim(to_char(round(value, decimals), CASE decimals WHEN 0 THEN 'FM999,999,999,999,990' ELSE 'FM999,999,999,999,990.' || repeat('0', decimals) END)) AS plain) x
$$;
COMMENT ON FUNCTION dunning._number(numeric, text, int) IS 'A number as the language writes it.';

CREATE FUNCTION dunning._html_table(head text[], body text, caption text DEFAULT NULL) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$
    SELECT '<table>' || coalesce('<caption>' || dunning._html(caption) || '</caption>', '') || '<thead><tr>'
           || (SELECT string_agg(CASE WHEN h LIKE '>%' THEN '<th scope="col" class="n">' || dunning._html(substr(h, 2)) ELSE '<th scope="col">' || dunning._html(h) END || '</th>', '' ORDER BY ord) FROM unnest(head) WITH ORDINALITY AS t (h, ord))
           || E'</tr></thead>\n<tbody>' || body || E'</tbody></table>\n'
$$;
COMMENT ON FUNCTION dunning._html_table(text[], text, text) IS 'A table: heads as text (with > in front above numbers), rows as HTML.';

-- The first cell names the row; cells are text, those that look like numbers stand right.
CREATE FUNCTION dunning._html_row(cells text[], class text DEFAULT NULL) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$
    SELECT '<tr' || coalesce(' class="' || dunning._html(class) || '"', '') || '>'
           || string_agg(CASE WHEN ord = 1 THEN '<th scope="row">' || dunning._html(c) || '</th>'
                              WHEN c ~ U&'^[-\2013]?(\\d{1,3}([.,\00A0]\\d{3})*([.,]\\d{1,2})?|\\d+[.,]\\d{2})( ?%| [A-Z]{3}| \\(\\d+ %\\))?$' OR c = '–' THEN '<td class="n">' || dunning._html(c) || '</td>'
                              ELSE '<td>' || dunning._html(c) || '</td>' END, '' ORDER BY ord)
           || E'</tr>\n'
    FROM unnest(cells) WITH ORDINALITY AS t (c, ord)
$$;
COMMENT ON FUNCTION dunning._html_row(text[], text) IS 'A row of a table from texts.';

-- Bars with their words and figures beside them, so that no colour says anything alone.
CREATE FUNCTION dunning._svg_bars(title text, labels text[], amounts numeric[], texts text[]) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$
    SELECT format('<svg viewBox="0 0 480 %s" role="img" aria-label="%s"><title>%s</title>', 6 + 24 * cardinality(labels), dunning._html(title), dunning._html(title))
           || string_agg(format('<text x="102" y="%s" text-anchor="end">%s</text><rect x="110" y="%s" width="%s" height="16" rx="2" class="b%s"/><text x="%s" y="%s">%s</text>',
                                y + 16, dunning._html(labels[i]), y + 3, w, least(i, 5), 118 + w, y + 16, dunning._html(texts[i])), '' ORDER BY i)
           || E'</svg>\n'
    FROM (SELECT i, 4 + 24 * (i - 1) AS y,
                 round(270 * greatest(0, amounts[i]) / nullif((SELECT max(greatest(0, a)) FROM unnest(amounts) a), 0), 1) AS w0
          FROM generate_subscripts(labels, 1) i) x
    CROSS JOIN LATERAL (SELECT coalesce(w0, 0) AS w) y
$$;
COMMENT ON FUNCTION dunning._svg_bars(text, text[], numeric[], text[]) IS 'Horizontal bars, each with its label and its figure.';

CREATE FUNCTION dunning._svg_line(title text, labels text[], amounts numeric[], texts text[]) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$
    WITH span AS (SELECT least(0, min(a)) AS low, greatest(max(a), least(0, min(a)) + 1) AS high FROM unnest(amounts) a),
    point AS (SELECT i, round(20 + 440.0 * (i - 1) / greatest(1, cardinality(amounts) - 1), 1) AS x,
                     round(130 - 105 * (amounts[i] - low) / (high - low), 1) AS y
              FROM generate_subscripts(amounts, 1) i, span)
    SELECT format('<svg viewBox="0 0 480 165" role="img" aria-label="%s"><title>%s</title><line x1="20" y1="130" x2="460" y2="130" class="axis"/>',
                  dunning._html(title), dunning._html(title))
           || '<polyline class="line" points="' || string_agg(x || ',' || y, ' ' ORDER BY i) || '"/>'
           || string_agg(format('<circle cx="%s" cy="%s" r="2.5" class="dot"/>', x, y), '' ORDER BY i)
           || coalesce(string_agg(format('<text x="%s" y="150" text-anchor="middle" class="s">%s</text>', x, dunning._html(labels[i])), '' ORDER BY i)
                       FILTER (WHERE (cardinality(amounts) - i) % 4 = 0), '')
           || coalesce(string_agg(format('<text x="%s" y="%s" text-anchor="%s" class="s">%s</text>', x,
                                         CASE WHEN i > 1 AND amounts[i] < amounts[i - 1] THEN y + 16 ELSE greatest(12, y - 8) END,
                                         CASE WHEN i = 1 THEN 'start' ELSE 'end' END, dunning._html(texts[i])), '' ORDER BY i)
                       FILTER (WHERE i = 1 OR i = cardinality(amounts)), '')
           || E'</svg>\n'
    FROM point
$$;
COMMENT ON FUNCTION dunning._svg_line(text, text[], numeric[], text[]) IS 'A line over evenly spaced points; first and last carry their figures.';

CREATE FUNCTION dunning._html_page(title text, language text, body text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$
    SELECT '<!DOCTYPE html>' || E'\n<html lang="' || dunning._html(language) || E'">\n<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        || '<title>' || dunning._html(title) || E'</title>\n<style>\n'
        || ':root{--ink:#1b2733;--soft:#5b6875;--line:#d5dbe1;--paper:#fff;--tint:#f4f6f8;--main:#1f5f8b;--warn:#8a4b00;--bad:#9c1c1c;--good:#1d6b3a}
*{box-sizing:border-box}body{margin:0 auto;max-width:1040px;padding:24px;font:14px/1.45 "DejaVu Sans",Verdana,sans-serif;color:var(--ink);background:var(--paper)}
h1{font-size:22px;margin:0}h2{font-size:16px;margin:28px 0 8px;border-bottom:2px solid var(--main);padding-bottom:4px}h3{font-size:14px;margin:14px 0 6px}
p.sub{color:var(--soft);margin:2px 0 16px}table{border-collapse:collapse;width:100%;margin:8px 0;font-size:13px}caption{text-align:left;color:var(--soft);padding:4px 0}
th,td{text-align:left;padding:4px 8px;border-bottom:1px solid var(--line);vertical-align:top}thead th{background:var(--tint);font-weight:600}tbody th{font-weight:500}
td.n,th.n{text-align:right}td.n{white-space:nowrap;font-variant-numeric:tabular-nums}tr.few th,tr.few td{color:var(--soft);font-style:italic}
.kpis{display:flex;flex-wrap:wrap;gap:12px;margin:8px 0}.kpi{flex:1 1 150px;border:1px solid var(--line);border-radius:6px;padding:10px 12px;background:var(--tint)}
.kpi b{display:block;font-size:19px;font-variant-numeric:tabular-nums;white-space:nowrap}.kpi span{color:var(--soft);font-size:12px}.kpi i{font-style:normal;font-size:12px;display:block}
.cols{display:flex;flex-wrap:wrap;gap:24px}.cols>div{flex:1 1 380px;min-width:0}
svg{width:100%;height:auto;max-width:520px;font:12px "DejaVu Sans",Verdana,sans-serif;fill:var(--ink)}svg .s{font-size:11px;fill:var(--soft)}
.axis{stroke:var(--line)}.line{fill:none;stroke:var(--main);stroke-width:2}.dot{fill:var(--main)}
.b1{fill:#9fc3da}.b2{fill:#6fa5c7}.b3{fill:#3f86b2}.b4{fill:#1f5f8b}.b5{fill:#123d5c}
ul.warn{list-style:none;padding:0;margin:8px 0}ul.warn li{padding:6px 10px;margin:4px 0;border-left:4px solid var(--warn);background:#fdf6ec}
ul.warn li.bad{border-color:var(--bad);background:#fbeeee}ul.warn li.ok{border-color:var(--good);background:#eef7f1}
table.heat{table-layout:fixed;font-size:11px}table.heat th,table.heat td{padding:3px 1px;text-align:center;border:1px solid #fff}table.heat tbody th{width:46px;text-align:left}table.heat thead th:first-child{width:46px}
.h0{background:#f4f6f8;color:#8a949e}.h1{background:#dbe9f2}.h2{background:#a9cbe0}.h3{background:#5f9cc2;color:#fff}.h4{background:#1f5f8b;color:#fff}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--tint);padding:8px;border-radius:4px;font:12px/1.4 "DejaVu Sans Mono",monospace;margin:4px 0}
@page{size:A4;margin:14mm}@media print{body{padding:0;max-width:none;font-size:11px}h2{break-after:avoid}table,svg,.kpi,tr{break-inside:avoid}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}'
        || E'\n</style></head>\n<body>\n' || body || E'</body></html>\n'
$$;
COMMENT ON FUNCTION dunning._html_page(text, text, text) IS 'A whole HTML page with its own style: no script, nothing fetched, prints on A4.';
