-- copied to: csv; whole numbers and doubles
SELECT id, key, quantity, value FROM events
