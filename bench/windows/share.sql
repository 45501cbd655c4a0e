-- each row's share in its key: an aggregate of whole partitions, which needs no order
SELECT id, value / sum(value) OVER (PARTITION BY key) AS share FROM events
