SELECT list_reduce(l, lambda a, x, i: a + list_reduce([x], (b, y) -> b, i), 0), reduce(NULL, lambda a, x: a) FROM t
