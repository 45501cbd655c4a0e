-- One text of ten holds the word; id and text go into the result.
SELECT id, comment FROM events WHERE comment LIKE '%quick%'
