DROP FUNCTION dunning._ship_templates(text, jsonb, jsonb);
DROP FUNCTION dunning._ship_framed(jsonb, text);
DROP FUNCTION dunning._ship_fill(text, jsonb, boolean);
