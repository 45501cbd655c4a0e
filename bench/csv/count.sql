-- every line is split, no value converted
SELECT count(*) AS n FROM trips
