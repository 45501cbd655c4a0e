-- three columns of a tenth of the lines to the caller, one of them quoted
SELECT id, started, comment FROM trips WHERE paid = false
