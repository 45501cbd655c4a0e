-- four values of each document
SELECT count(document ->> 'kind') AS kinds, count(document ->> '$.user.name') AS names, count(document ->> 'discount') AS discounts, max(document ->> '$.tags[0]') AS tag FROM documents
