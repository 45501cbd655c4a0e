-- one row of 1,000
SELECT name, price FROM items WHERE id = 517
