-- compared: column 3
SELECT 1 AS one, url, count(*) AS c FROM hits GROUP BY 1, url ORDER BY c DESC LIMIT 10
