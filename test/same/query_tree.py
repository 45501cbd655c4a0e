"""Queries as trees of pieces, so that they can be made smaller piece by piece.

    node = Node("query", "SELECT ", Several([Node("item", "1")], least=1), Several(conjuncts, " WHERE ", " AND "))
    node.text("fletch")
    for smaller in cuts(node): ...

What is taken away may be needed elsewhere: then the smaller query is refused with a name, and was no use.
"""

import copy


class By:
    """Text that is another one in another dialect."""

    def __init__(self, fletch, duckdb):
        self.text = {"fletch": fletch, "duckdb": duckdb}


class Several:
    """Pieces with text between them. Where none is left there is no text at all; fewer than `least` there never are."""

    def __init__(self, nodes, before="", between=", ", behind="", least=0):
        self.nodes, self.before, self.between, self.behind, self.least = list(nodes), before, between, behind, least


class Node:
    """A piece of a query: texts, pieces and lists of pieces in a row. Pieces of one `kind` can stand for each other."""

    def __init__(self, kind, *parts, names=()):
        self.kind, self.parts, self.names = kind, list(parts), names  # names: aliases that a source makes

    def text(self, dialect="fletch"):
        return "".join(render(part, dialect) for part in self.parts)

    def __str__(self):
        return self.text()


def whole(node):
    """The text of a piece in every dialect, which is not made smaller."""
    return By(node.text("fletch"), node.text("duckdb"))


def render(part, dialect):
    if isinstance(part, str):
        return part
    if isinstance(part, By):
        return part.text[dialect]
    if isinstance(part, Several):
        texts = [node.text(dialect) for node in part.nodes]
        return part.before + part.between.join(texts) + part.behind if texts else ""
    return part.text(dialect)


def order_of(node):
    """The sort keys of a query's rows, also where they stand in what it is around of; None when there are none."""
    if node.kind == "tail":
        return node.parts[0].nodes
    for part in reversed(node.parts):
        if isinstance(part, Several) and part.nodes and part.before == " ORDER BY ":
            return part.nodes
        if isinstance(part, Several) and part.nodes and part.nodes[0].kind == "tail":
            return order_of(part.nodes[0])
    inner = [part for part in node.parts if isinstance(part, Node) and part.kind == "query"]
    return order_of(inner[0]) if len(inner) == 1 else None


def pieces(node):
    """All pieces of a query with where they stand, outer ones first: (list, index in it)."""
    stack = [node]
    while stack:
        top = stack.pop(0)
        for place, part in enumerate(top.parts):
            if isinstance(part, Node):
                yield top.parts, place
                stack.append(part)
            elif isinstance(part, Several):
                for i, inner in enumerate(part.nodes):
                    yield part.nodes, i
                    stack.append(inner)


def lists(node):
    found = [part for part in node.parts if isinstance(part, Several)]
    for where, place in list(pieces(node)):
        found += [part for part in where[place].parts if isinstance(part, Several)]
    return found


def same_kind_below(node):
    """The nearest pieces of the same kind inside of a piece."""
    result, stack = [], list(node.parts)
    while stack:
        part = stack.pop(0)
        if isinstance(part, Several):
            stack = list(part.nodes) + stack
        elif isinstance(part, Node):
            if part.kind == node.kind:
                result.append(part)
            else:
                stack = list(part.parts) + stack
    return result


def drop_mentions(node, names):
    """Takes everything out of lists that names one of the aliases, where the list allows it."""
    for part in lists(node):
        kept = [inner for inner in part.nodes if not any(f"{name}." in inner.text() for name in names)]
        part.nodes = kept if len(kept) >= part.least else part.nodes


def cuts(root):
    """Copies of the query from which one thing is taken away, large ones first. Some are no longer valid."""
    for edit in edits(root):
        smaller = copy.deepcopy(root)
        edit(smaller)
        yield smaller


def edits(root):
    def at(number, change):
        def edit(tree):
            where, place = list(pieces(tree))[number]
            change(where, place, tree)
        return edit

    def replace_by(n):
        def change(where, place, _):
            where[place] = same_kind_below(where[place])[n]
        return change

    def keep_side(n):
        def change(where, place, tree):
            old = where[place]
            where[place] = same_kind_below(old)[n]
            drop_mentions(tree, set(old.names) - set(where[place].names))
        return change

    def put(text):
        def change(where, place, _):
            where[place] = Node(where[place].kind, text)
        return change

    def drop(number, i):
        def edit(tree):
            del lists(tree)[number].nodes[i]
        return edit

    found = [(where[place], number) for number, (where, place) in enumerate(pieces(root))]
    for node, number in found:
        below = same_kind_below(node)
        if node.kind == "source":
            for n in range(len(below)):
                yield at(number, keep_side(n))
        elif node.kind in ("query", "expr"):
            for n in range(len(below)):
                yield at(number, replace_by(n))
    for number, part in enumerate(lists(root)):
        if len(part.nodes) > part.least:
            for i in range(len(part.nodes)):
                yield drop(number, i)
    for node, number in found:
        if node.kind == "expr" and len(node.parts) > 1:
            for text in ("true", "1", "NULL", "'a'"):
                yield at(number, put(text))
        elif node.kind == "expr" and "." in node.text() and "'" not in node.text() and "::" not in node.text():
            for text in ("1", "NULL"):
                yield at(number, put(text))
