WITH RECURSIVE t(a, b, c) USING KEY (b, a) AS (SELECT 1, 2, 'x' UNION SELECT a + 1, b, c FROM t, recurring.t AS r WHERE a < 9) SELECT * FROM t
