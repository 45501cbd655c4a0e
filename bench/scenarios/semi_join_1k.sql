-- Rows whose key is among the 100 keys with weight 3: 10 % kept.
SELECT count(*), sum(value) FROM events WHERE key IN (SELECT key FROM dims WHERE weight = 3)
