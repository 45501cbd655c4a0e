-- compared: column 3
SELECT search_engine_id, search_phrase, count(*) AS c FROM hits WHERE search_phrase <> ''
GROUP BY search_engine_id, search_phrase ORDER BY c DESC LIMIT 10
