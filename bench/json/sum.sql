-- one key of sixteen
SELECT sum(amount) AS amounts FROM events
