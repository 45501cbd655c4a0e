-- compared: column 3
SELECT url_hash, event_date, count(*) AS page_views FROM hits
WHERE counter_id = 62 AND event_date >= DATE '2013-07-01' AND event_date <= DATE '2013-07-31' AND is_refresh = 0 AND trafic_source_id IN (-1, 6) AND referer_hash = 3594120000172545465
GROUP BY url_hash, event_date ORDER BY page_views DESC LIMIT 10 OFFSET 100
