-- 64 % kept, the 1,000 smallest of them.
SELECT id, value FROM events WHERE quantity > 36 ORDER BY value, id LIMIT 1000
