-- an average of the last ten rows of a key
SELECT id, avg(value) OVER (PARTITION BY key ORDER BY id ROWS BETWEEN 9 PRECEDING AND CURRENT ROW) AS mean FROM events
