-- A million doubles sorted, with their ids.
SELECT id, value FROM events ORDER BY value, id
