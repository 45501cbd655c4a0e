-- compared: column 3
SELECT watch_id, client_ip, count(*) AS c, sum(is_refresh), avg(resolution_width) FROM hits WHERE search_phrase <> ''
GROUP BY watch_id, client_ip ORDER BY c DESC LIMIT 10
