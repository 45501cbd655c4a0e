-- an array's length
SELECT sum(json_array_length(document, '$.tags')) AS tags FROM documents
