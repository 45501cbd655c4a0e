-- a thousand steps along a list of 100,000 nodes: a join with the same table in each
WITH RECURSIVE walk(node, step) AS (SELECT 0, 0 UNION ALL SELECT l.next, w.step + 1 FROM walk AS w JOIN list AS l ON l.node = w.node WHERE w.step < 1000)
SELECT count(*) AS n, sum(node) AS total FROM walk
