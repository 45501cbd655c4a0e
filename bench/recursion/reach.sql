-- what can be reached in a graph with cycles: rows that came before are dropped
WITH RECURSIVE reached(node) AS (SELECT 0 UNION SELECT e.target FROM reached AS r JOIN edges AS e ON e.source = r.node)
SELECT count(*) AS n, sum(node) AS total FROM reached
