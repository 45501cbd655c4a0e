-- 64 % kept by one integer comparison; two aggregates of a double.
SELECT sum(value), avg(value) FROM events WHERE quantity > 36
