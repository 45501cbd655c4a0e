-- compared: column 3
SELECT region_id, sum(adv_engine_id), count(*) AS c, avg(resolution_width), count(DISTINCT user_id) FROM hits
GROUP BY region_id ORDER BY c DESC LIMIT 10
