-- a text of the first level, five groups
SELECT document ->> 'kind' AS kind, count(*) AS n FROM documents GROUP BY 1
