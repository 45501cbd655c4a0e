-- compared: column 3
SELECT search_engine_id, client_ip, count(*) AS c, sum(is_refresh), avg(resolution_width) FROM hits WHERE search_phrase <> ''
GROUP BY search_engine_id, client_ip ORDER BY c DESC LIMIT 10
