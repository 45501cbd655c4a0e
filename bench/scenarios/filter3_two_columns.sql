-- The same rows, two columns.
SELECT id, value FROM events WHERE quantity > 36 AND value < 400 AND flag
