-- compared: column 5
SELECT client_ip, client_ip - 1 AS a, client_ip - 2 AS b, client_ip - 3 AS d, count(*) AS c FROM hits
GROUP BY client_ip, client_ip - 1, client_ip - 2, client_ip - 3 ORDER BY c DESC LIMIT 10
