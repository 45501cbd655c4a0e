SELECT j ? 'a', j ?| l, j ?& l, j #- '{a,0}', j.a.b, ?||'x', B'101' & b'1' || ~ B'' FROM t
