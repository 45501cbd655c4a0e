-- a quantile of each key beside its rows
SELECT id, quantile_cont(value, 0.9) OVER (PARTITION BY key) AS q90 FROM events
