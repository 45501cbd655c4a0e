-- A million names sorted, ties by id.
SELECT name, id FROM events ORDER BY name, id
