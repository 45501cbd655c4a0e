-- a million rounds of one row each
WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 1000000) SELECT count(*) AS n, sum(n) AS total FROM counted
