-- 1,000 groups by a 32-bit key.
SELECT key, count(*), sum(value) FROM events GROUP BY key ORDER BY key
