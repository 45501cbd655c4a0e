-- all nodes below the first: some forty rounds, a million rows
WITH RECURSIVE below(node, depth) AS (SELECT 0, 0 UNION ALL SELECT t.node, b.depth + 1 FROM below AS b JOIN tree AS t ON t.parent = b.node)
SELECT depth, count(*) AS n FROM below GROUP BY depth
