-- copied to: parquet; a hundredth of the rows, a computed column
SELECT id, value * 2 AS twice, name FROM events WHERE value < 10
