-- copied to: csv; all columns, three of them texts
SELECT * FROM events
