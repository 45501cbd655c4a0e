-- a sum of the last hour, some 380 rows
SELECT id, sum(quantity) OVER (ORDER BY seen_at RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW) AS total FROM events
