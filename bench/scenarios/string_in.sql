-- Three names of 100,000.
SELECT count(*) FROM events WHERE name IN ('name 17', 'name 4711', 'name 99999')
