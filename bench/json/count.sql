-- no key is asked for
SELECT count(*) AS n FROM events
