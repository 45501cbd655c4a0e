-- Only a count of what one comparison keeps: 50 %.
SELECT count(*) FROM events WHERE value < 500
