-- three keys of sixteen, all rows to the caller
SELECT id, kind, amount FROM events
