-- 64 % kept, 20 groups by text and boolean.
SELECT category, flag, count(*), sum(value) FROM events WHERE quantity > 36 GROUP BY category, flag ORDER BY category, flag
