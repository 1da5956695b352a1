DROP FUNCTION dunning._ship_templates(text, jsonb, jsonb);
