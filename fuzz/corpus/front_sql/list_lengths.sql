CREATE TABLE l(a integer[3], b text[2][][4]); SELECT x::integer[2], TRY_CAST(y AS struct(a integer[1])[9]) FROM l
