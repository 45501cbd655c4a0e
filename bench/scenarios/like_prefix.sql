-- Names that begin with 'name 12': about 1.1 %.
SELECT count(*) FROM events WHERE name LIKE 'name 12%'
