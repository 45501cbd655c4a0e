-- 1 % kept, four columns.
SELECT id, category, value, quantity FROM events WHERE value < 10
