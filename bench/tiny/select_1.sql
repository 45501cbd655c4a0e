-- no table
SELECT 1 AS one
