-- Ten largest of a million doubles.
SELECT id, value FROM events ORDER BY value DESC, id LIMIT 10
