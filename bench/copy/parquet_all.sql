-- copied to: parquet; all columns, three of them texts
SELECT * FROM events
