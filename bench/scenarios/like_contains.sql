-- One text of ten holds the word.
SELECT count(*) FROM events WHERE comment LIKE '%quick%'
