-- Each row meets one of 1,000; grouped by the 50 labels of the small side.
SELECT d.label, count(*), sum(e.value) FROM events e JOIN dims d ON e.key = d.key GROUP BY d.label ORDER BY d.label
