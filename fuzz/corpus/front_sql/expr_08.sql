SELECT a < b AND b <= c, - - 1, a -- comment
+ /* and /* another */ */ b, a AT TIME ZONE 'UTC' + b