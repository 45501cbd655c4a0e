-- 1,000 rows beside 20
SELECT count(*) AS n, sum(items.price) AS prices FROM items JOIN kinds ON items.kind = kinds.kind WHERE kinds.label = 'kind 7'
