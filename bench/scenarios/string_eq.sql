-- One of ten categories, 10 % kept.
SELECT count(*) FROM events WHERE category = 'category 3'
