-- 100,000 different names.
SELECT count(DISTINCT name) FROM events
