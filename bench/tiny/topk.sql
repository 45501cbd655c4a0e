-- the ten dearest, ties by id
SELECT id, price FROM items ORDER BY price DESC, id LIMIT 10
