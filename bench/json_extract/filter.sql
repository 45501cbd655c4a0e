-- a filter of a fifth, two values of those that stay
SELECT id, document ->> '$.user.id' AS user_id, document ->> '$.tags[1]' AS tag FROM documents WHERE document ->> 'kind' = 'buy'
