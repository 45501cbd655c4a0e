-- A rank within each key.
SELECT id, rank() OVER (PARTITION BY key ORDER BY value) AS place FROM events
