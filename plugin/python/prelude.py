"""What functions see of fletch, and what stands between them and the host. It is part of the interpreter's libraries as text.

`define` runs a function's text, `run_batch` gives it NumPy's arrays over the host's columns and puts what it gives back into them,
`explain` words exceptions. NumPy and traceback are imported when they are first needed: most functions need neither.
"""

import sys
import types

numpy = None
pyarrow = None
sources = {}
LINES_MAX = 8  # of a traceback
ARGS_MAX = 8
BY_ROW, BY_NUMPY, BY_ARROW = range(3)  # fl_python_form


class Stopped(BaseException):
    """Raised in a thread whose statement was stopped."""


class CodeFault(Exception):
    """The text has no such function."""


class ResultFault(Exception):
    """What the function gave does not fit its declaration; `row` of the batch where it is known."""

    def __init__(self, message, row=-1):
        super().__init__(message)
        self.row = row


class MomentFault(ResultFault):
    """A date, time or timestamp that the declared type does not hold as it is."""


def batch(function):
    """Marks a function that takes whole columns, as NumPy's arrays (texts: lists), and gives a column back."""
    function.__fletch_form__ = BY_NUMPY
    return function


def arrow(function):
    """The same with pyarrow's arrays."""
    function.__fletch_form__ = BY_ARROW
    return function


def offer_module():
    module = types.ModuleType("fletch", "What fletch gives to functions.")
    module.batch = batch
    module.arrow = arrow
    sys.modules["fletch"] = module


def check_arity(function, name, n_args):
    code = getattr(function, "__code__", None)
    if code is None:
        return
    taken = code.co_argcount - hasattr(function, "__self__")
    least = taken - len(function.__defaults__ or ())
    if n_args < least or (n_args > taken and not code.co_flags & 4):
        raise CodeFault(f"it is declared with {n_args} arguments, def {name} takes {least if least == taken else f'{least} to {taken}'}")
    missing = code.co_kwonlyargcount - len(function.__kwdefaults__ or {})
    if missing:
        raise CodeFault(f"def {name} has arguments that can only be named")


def sql_type(annotation, what):
    """What a value that is annotated so is in SQL; with None or without, as any value may be null."""
    import datetime
    import typing

    known = {bool: "boolean", int: "bigint", float: "double precision", str: "text", bytes: "binary", datetime.date: "date", datetime.time: "time",
             datetime.datetime: "timestamp"}
    if typing.get_origin(annotation) in (typing.Union, getattr(types, "UnionType", typing.Union)):
        others = [choice for choice in typing.get_args(annotation) if choice is not type(None)]
        annotation = others[0] if len(others) == 1 else annotation
    if isinstance(annotation, type) and annotation in known:
        return known[annotation]
    shown = annotation.__name__ if isinstance(annotation, type) else annotation
    raise CodeFault(f"{what} is annotated as {shown}: types are known of {', '.join(kind.__name__ for kind in known)}")


def signature_of(function, name):
    """Names of the parameters, and what annotations say their types are and, last, the result's."""
    code = getattr(function, "__code__", None)
    if code is None or code.co_flags & 12:
        raise CodeFault(f"its types are not declared, and {name} has no parameters that could say them one by one")
    try:
        import typing

        said = typing.get_type_hints(function)
    except NameError as error:
        raise CodeFault(f"an annotation of def {name} is not defined: {error}") from None
    names = code.co_varnames[int(hasattr(function, "__self__")) : code.co_argcount]
    if len(names) > ARGS_MAX:
        raise CodeFault(f"def {name} has {len(names)} parameters, a function has up to {ARGS_MAX}")
    for parameter in names:
        if parameter not in said:
            raise CodeFault(f"its types are not declared, and the parameter {parameter} of def {name} has no annotation")
    if "return" not in said:
        raise CodeFault(f"its types are not declared, and def {name} has no annotation of its result (-> float)")
    wanted = [sql_type(said[parameter], f"the parameter {parameter} of def {name}") for parameter in names]
    return tuple(names), (*wanted, sql_type(said["return"], f"the result of def {name}"))


def define(name, text, n_args):
    file = f"<function {name}>"
    sources[file] = text
    module = types.ModuleType(f"fletch_function_{name}")
    module.__file__ = file
    sys.modules[module.__name__] = module
    exec(compile(text, file, "exec"), module.__dict__)
    function = module.__dict__.get(name)
    if function is None:
        alike = [value for key, value in module.__dict__.items() if key.lower() == name.lower()]
        function = alike[0] if len(alike) == 1 else None
    if function is None:
        defined = [key for key, value in module.__dict__.items() if isinstance(value, types.FunctionType)]
        raise CodeFault(f"the text defines no function {name}" + (f", but {', '.join(defined[:5])}" if defined else ""))
    if not callable(function):
        raise CodeFault(f"{name} is a {type(function).__name__}, not a function")
    signature = None
    if n_args < 0:
        signature = signature_of(function, name)
        n_args = len(signature[0])
    check_arity(function, name, n_args)
    form = getattr(function, "__fletch_form__", BY_ROW)
    if form != BY_ROW and n_args == 0:
        raise CodeFault("a batch has as many rows as its columns: without arguments there is none")
    if form == BY_NUMPY:
        import_numpy()
    if form == BY_ARROW:
        import_pyarrow()
    return function, form, signature


def import_numpy():
    global numpy
    if numpy is None:
        import numpy as module
        import numpy.ma  # noqa: F401  (masked arrays are used below)

        numpy = module


def import_pyarrow():
    global pyarrow
    if pyarrow is None:
        try:
            import pyarrow as module
            import pyarrow.compute  # noqa: F401  (it is used below)
        except ImportError as error:
            raise CodeFault(f"it says @fletch.arrow, and pyarrow cannot be imported from the folders of --python-path: {error}") from None
        pyarrow = module


# ---- batches: a column is (NumPy's type, values, nulls or None), a text's is a list ----


def array_of(column, rows, takes_nulls):
    if type(column) is list:
        return column
    kind, values, nulls = column
    array = numpy.frombuffer(values, "i4" if kind == "M8[D]" else kind, rows)
    if kind == "M8[D]":
        array = array.astype(kind)
    if takes_nulls:
        mask = numpy.ma.nomask if nulls is None else numpy.frombuffer(nulls, bool, rows)
        array = numpy.ma.MaskedArray(array, mask=mask)
    return array


def described(value):
    if isinstance(value, numpy.ndarray):
        return f"an array of {value.dtype}" + ("" if value.ndim == 1 else f" with {value.ndim} dimensions")
    return f"a value of type {type(value).__name__}"


def check_length(result, rows):
    if isinstance(result, (str, bytes)) or not hasattr(result, "__len__"):
        raise ResultFault(f"it gave {described(result)}, expected a column of {rows} values")
    if len(result) != rows:
        raise ResultFault(f"it gave {len(result)} values for {rows} rows")


def texts_of(result, rows):
    check_length(result, rows)
    if isinstance(result, numpy.ma.MaskedArray):
        return result.tolist()
    return result if isinstance(result, (list, tuple)) else result.tolist() if hasattr(result, "tolist") else list(result)


def split_nulls(result, kind):
    """Values and a mask of nulls, or None for it."""
    if isinstance(result, numpy.ma.MaskedArray):
        return result.data, numpy.ma.getmaskarray(result)
    array = numpy.asarray(result)
    if array.dtype != object:
        return array, numpy.isnat(array) if array.dtype.kind in "mM" else None
    nulls = numpy.fromiter((value is None for value in array), bool, len(array))
    some = next((value for value in array if value is not None), None)
    if some is None:
        return numpy.zeros(len(array), kind), nulls
    values = [some if value is None else value for value in array]
    return numpy.asarray(values, kind if kind[0] in "Mm" else None), nulls


def cast(array, nulls, kind, name):
    """The array in the declared type, if it is of that sort."""
    target = numpy.dtype(kind)
    sorts = {"f": "fiu", "i": "iu", "u": "iu", "b": "b", "M": "M", "m": "m"}[target.kind]
    if array.dtype.kind not in sorts:
        raise ResultFault(f"it gave {described(array)}, it RETURNS {name}")
    if target.kind in "iu" and not numpy.can_cast(array.dtype, target, "safe"):
        limits = numpy.iinfo(target)
        known = array if nulls is None else array[~nulls]
        if known.size > 0 and (int(known.min()) < limits.min or int(known.max()) > limits.max):
            outside = (i for i, value in enumerate(array.tolist()) if not limits.min <= value <= limits.max)
            row = next(i for i in outside if nulls is None or not nulls[i])
            raise ResultFault(f"it gave {array[row]}, beyond what {name} holds", row)
    if numpy.can_cast(array.dtype, target, "safe") and target.kind not in "mM":
        return array.astype(target, copy=False)
    if target.kind in "mM":
        return cast_moments(array, nulls, target, name)
    with numpy.errstate(over="ignore"):
        result = array.astype(target, copy=False)
    if target.kind == "f":
        row = first_of(numpy.isinf(result) & ~numpy.isinf(array), nulls)
        if row >= 0:
            raise ResultFault(f"it gave {array[row]}, beyond what {name} holds", row)
    return result


def first_of(are_wrong, nulls):
    """The first row that is, and is not null; -1 without one."""
    if nulls is not None:
        are_wrong = are_wrong & ~nulls
    return int(are_wrong.argmax()) if are_wrong.any() else -1


def cast_moments(array, nulls, target, name):
    """In the declared unit: what lies between two of its moments, or beyond all of them, is not cut to fit."""
    if array.dtype == target:
        return array
    unit = {"D": "days", "s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}[numpy.datetime_data(target)[0]]
    try:
        result = array.astype(target)
        row = first_of((result.astype(array.dtype) != array) & ~numpy.isnat(array), nulls)
    except OverflowError:
        raise MomentFault(f"it gave {described(array)} with values that {name} in {unit} does not hold") from None
    if row >= 0:
        raise MomentFault(f"it gave {array[row]}, which {name} in {unit} does not hold", row)
    return result


def store(result, rows, kind, name, values, nulls):
    check_length(result, rows)
    array, mask = split_nulls(result, kind)
    if array.shape != (rows,):
        raise ResultFault(f"it gave {described(array)}, expected one of {rows} values")
    array = cast(array, mask, kind, name)
    if kind == "M8[D]":
        kind = "i4"
        array = array.astype("i8")
    elif kind[0] in "mM":
        kind = "i8"
        array = array.view("i8")
    numpy.frombuffer(values, kind, rows)[:] = array
    if mask is not None:
        numpy.frombuffer(nulls, bool, rows)[:] = mask


def run_batch(function, columns, rows, takes_nulls, kind, name, values, nulls):
    """Calls the function; a text's column comes back as a sequence, others are stored."""
    result = function(*[array_of(column, rows, takes_nulls) for column in columns])
    if kind is None:
        return texts_of(result, rows)
    store(result, rows, kind, name, values, nulls)
    return None


# ---- batches as Arrow has them: a column is (SQL's type, unit, values, nulls or None, bytes or None), all from the first row on ----

ARROW_TYPES = {
    "boolean": "bool", "tinyint": "int8", "smallint": "int16", "integer": "int32", "bigint": "int64", "utinyint": "uint8", "usmallint": "uint16",
    "uinteger": "uint32", "ubigint": "uint64", "real": "float32", "double precision": "float64", "date": "date32[day]", "time": "time64[us]",
    "text": "large_string", "binary": "large_binary"
}
UNITS = "s", "ms", "us", "ns"


def arrow_type(name, unit):
    if name.startswith("timestamp"):
        return pyarrow.timestamp(UNITS[unit], "UTC" if name == "timestamptz" else None)
    return pyarrow.type_for_alias(ARROW_TYPES[name])


def arrow_array(column, rows):
    """Over the host's memory, but for booleans and nulls, of which that has a byte and Arrow a bit."""
    name, unit, values, nulls, texts = column
    kind = arrow_type(name, unit)
    bits = None
    if nulls is not None:
        are_null = pyarrow.Array.from_buffers(pyarrow.uint8(), rows, [None, pyarrow.py_buffer(nulls)])
        bits = pyarrow.compute.invert(are_null.cast("bool")).buffers()[1]
    values = pyarrow.py_buffer(values)
    if name == "boolean":
        values = pyarrow.Array.from_buffers(pyarrow.uint8(), rows, [None, values]).cast(kind).buffers()[1]
    return pyarrow.Array.from_buffers(kind, rows, [bits, values] if texts is None else [bits, values, pyarrow.py_buffer(texts)])


def bytes_of(array):
    """The values of an array of numbers."""
    width = array.type.bit_width // 8
    return memoryview(array.buffers()[1]).cast("B")[array.offset * width : (array.offset + len(array)) * width]


def shown(array, row):
    """A value in a message, where Python may have none like it."""
    try:
        return array.slice(row, 1).cast("string")[0].as_py()
    except pyarrow.ArrowException:
        return array.slice(row, 1).cast("int64")[0].as_py()


def first_true(are_wrong):
    return pyarrow.compute.index(are_wrong, True).as_py()


def arrow_cast(array, kind, name):
    """The array in the declared type, if it is of that sort, and holds nothing that this does not."""
    types, compute = pyarrow.types, pyarrow.compute
    if types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if types.is_null(array.type):
        return array.cast(kind)
    if array.type == kind:
        return array
    sorts = (
        (types.is_integer, types.is_integer), (types.is_floating, lambda given: types.is_floating(given) or types.is_integer(given)),
        (types.is_large_string, lambda given: types.is_string(given) or types.is_string_view(given)),
        (types.is_large_binary, lambda given: types.is_binary(given) or types.is_binary_view(given) or types.is_fixed_size_binary(given)),
        (types.is_date, types.is_date), (types.is_time, types.is_time),
        (types.is_timestamp, lambda given: types.is_timestamp(given) and (given.tz is None) == (kind.tz is None))
    )
    if not any(wanted(kind) and takes(array.type) for wanted, takes in sorts):
        raise ResultFault(f"it gave an array of {array.type}, it RETURNS {name}")
    result = array.cast(kind, safe=False)
    if types.is_floating(kind):
        row = first_true(compute.and_(compute.is_inf(result), compute.invert(compute.is_inf(array.cast("float64", safe=False)))))
    elif types.is_large_string(kind) or types.is_large_binary(kind):
        row = -1
    else:
        row = first_true(compute.not_equal(result.cast(array.type, safe=False), array))
    if row >= 0 and types.is_temporal(kind):
        raise MomentFault(f"it gave {shown(array, row)}, which {name}{f' in {kind.unit}' if types.is_timestamp(kind) else ''} does not hold", row)
    if row >= 0:
        raise ResultFault(f"it gave {shown(array, row)}, beyond what {name} holds", row)
    return result


def run_arrow(function, columns, begin, rows, name, unit, values, nulls):
    """Calls the function for rows from `begin` on; texts come back as (offsets, bytes), others are stored."""
    result = function(*[arrow_array(column, begin + rows).slice(begin) for column in columns])
    if isinstance(result, pyarrow.ChunkedArray):
        result = result.combine_chunks()
    if not isinstance(result, pyarrow.Array):
        raise ResultFault(f"it gave a value of type {type(result).__name__}, expected an array of pyarrow with {rows} values")
    if len(result) != rows:
        raise ResultFault(f"it gave {len(result)} values for {rows} rows")
    kind = arrow_type(name, unit)
    result = arrow_cast(result, kind, name)
    if result.null_count > 0:
        nulls[:] = bytes_of(result.is_null().cast("uint8"))
        if not pyarrow.types.is_large_string(kind) and not pyarrow.types.is_large_binary(kind):
            result = result.fill_null(pyarrow.scalar(0, "int32" if kind.bit_width == 32 and pyarrow.types.is_temporal(kind) else "int64").cast(kind))
    if name == "boolean":
        result = result.cast("uint8")
    buffers = result.buffers()
    if len(buffers) == 3:
        return buffers[1][result.offset * 8 : (result.offset + rows + 1) * 8], buffers[2] if buffers[2] is not None else b""
    values[:] = bytes_of(result)
    return None


# ---- exceptions ----


def explain(error):
    """The exception as one line, and the last lines of its traceback within the function's own text."""
    try:
        import linecache
        import traceback

        for file, text in sources.items():
            linecache.cache[file] = (len(text), None, text.splitlines(True), file)
        lines = "".join(traceback.format_exception_only(type(error), error)).strip().splitlines()
        if isinstance(error, SyntaxError):
            return f"{lines[-1]}, line {error.lineno}", "\n".join(lines[1:-1])
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if frame.filename in sources] or frames
        shown = "".join(traceback.format_list(own)).rstrip().splitlines()[-LINES_MAX:]
        return " ".join(line.strip() for line in lines if line.strip()), "\n".join(part[2:] if part.startswith("  ") else part for part in shown)
    except BaseException as another:  # an exception whose text raises one, too
        return f"{type(error).__name__}, which cannot be shown ({type(another).__name__})", ""


offer_module()
