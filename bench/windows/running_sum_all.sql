-- a running sum over all rows, which lie in the order asked for
SELECT id, sum(quantity) OVER (ORDER BY id) AS total FROM events
