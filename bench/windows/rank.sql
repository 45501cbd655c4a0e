-- a rank within each of many keys, sorted by a column of doubles
SELECT id, rank() OVER (PARTITION BY key ORDER BY value) AS place FROM events
