-- an average of the last thousand of all rows
SELECT id, avg(value) OVER (ORDER BY id ROWS BETWEEN 999 PRECEDING AND CURRENT ROW) AS mean FROM events
