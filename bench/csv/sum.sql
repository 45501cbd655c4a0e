-- one column of ten
SELECT sum(fare) AS fares FROM trips
