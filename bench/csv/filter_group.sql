-- a filter of 50 %, 260 groups by a text
SELECT pickup, count(*) AS n, avg(distance) AS distance FROM trips WHERE passengers > 3 GROUP BY pickup
