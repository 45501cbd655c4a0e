-- the two largest values of each of 100,000 groups
SELECT id6, largest2_v3
FROM (SELECT id6, v3 AS largest2_v3, row_number() OVER (PARTITION BY id6 ORDER BY v3 DESC) AS place FROM x WHERE v3 IS NOT NULL) AS ranked
WHERE place <= 2
