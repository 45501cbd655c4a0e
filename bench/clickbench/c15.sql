-- compared: column 2
SELECT user_id, count(*) AS c FROM hits GROUP BY user_id ORDER BY c DESC LIMIT 10
