-- No filter: memory bandwidth.
SELECT sum(value), sum(quantity) FROM events
