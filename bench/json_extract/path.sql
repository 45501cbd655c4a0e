-- three levels down
SELECT document ->> '$.user.address.country' AS country, count(*) AS n FROM documents GROUP BY 1
