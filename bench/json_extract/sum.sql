-- a number behind two others
SELECT sum(CAST(document ->> 'amount' AS DOUBLE)) AS amounts FROM documents
