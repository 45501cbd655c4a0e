-- compared: column 4
SELECT search_phrase, min(url), min(title), count(*) AS c, count(DISTINCT user_id) FROM hits
WHERE title LIKE '%Google%' AND url NOT LIKE '%.google.%' AND search_phrase <> ''
GROUP BY search_phrase ORDER BY c DESC LIMIT 10
