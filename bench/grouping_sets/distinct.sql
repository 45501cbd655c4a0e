-- values that are counted once cannot be put together of finer groups
SELECT category, flag, count(DISTINCT key) AS keys FROM events GROUP BY CUBE (category, flag)
