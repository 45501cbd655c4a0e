-- big, 10,000,000 rows, by an integer that is unique in it
SELECT x.*, big.id1 AS big_id1, big.id2 AS big_id2, big.id4 AS big_id4, big.id5 AS big_id5, big.id6 AS big_id6, big.v2 FROM x JOIN big ON x.id3 = big.id3
