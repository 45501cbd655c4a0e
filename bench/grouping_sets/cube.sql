-- three keys, eight groupings
SELECT category, flag, quantity, count(*) AS n, sum(value) AS total FROM events GROUP BY CUBE (category, flag, quantity)
