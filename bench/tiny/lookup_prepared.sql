-- the same, the statement prepared before the clock starts
SELECT name, price FROM items WHERE id = $1
