-- 20 groups
SELECT kind, count(*) AS n, sum(price) AS prices FROM items GROUP BY kind
