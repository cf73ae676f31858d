"""Reads columns from records that fit the msgspec type, as nearly all do. Pure.

A value that the type accepts but no column can hold (a date in year 1, an infinite amount) raises
Unfit; the record is then read leniently.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from integrations.procore.resources.columns import LONGEST, Column
from integrations.procore.resources.lenient import Ids, Value, in_range

Row = Any  # of the type that `row_type` builds
Reader = Callable[[Row], Value]
STAMP_YEARS = range(2000, 2200)  # Procore has no older record


class Unfit(ValueError):
    """A value that no column can hold."""


def stamp(moment: datetime | None) -> datetime | None:
    """Raises Unfit: a placeholder instead of a date would delete records or stop updates."""
    if moment is not None and moment.year not in STAMP_YEARS:
        raise Unfit
    return moment


def reader_of(column: Column) -> Reader:
    """A reader that turns absent values into null or empty ones."""
    if column.constant is not None:
        constant = column.constant
        return lambda _row: constant
    path, why = column.paths[0], column.why
    if why.gathered:
        return _gatherer(column.paths)
    if why.summed:
        return _sum_reader(path)
    empty = column.empty
    first = _joined_reader(path) if why.joined else _path_reader(path)
    if why.otherwise:
        second = _path_reader(why.otherwise)
        return lambda row: first(row) or second(row) or empty
    if column.kind is Decimal:
        return lambda row: _amount(first(row))
    if column.kind in (date, datetime):
        return lambda row: _held(first(row))
    if empty is None:
        return first
    return lambda row: empty if (value := first(row)) is None else value


def _held(value: Value) -> Value:
    """Raises Unfit."""
    if value is not None and not in_range(value):
        raise Unfit
    return value


def _amount(value: Any) -> Any:
    """Raises Unfit. Unary plus rounds to the precision of any sum."""
    if value is None:
        return None
    if not in_range(value):
        raise Unfit
    return +value


def _path_reader(path: tuple[str, ...]) -> Reader:
    if len(path) == 1:
        [name] = path
        return lambda row: getattr(row, name)

    def read_path(row: Row) -> Value:
        value: Any = row
        for step in path:
            value = getattr(value, step)
            if value is None:
                return None
        return value  # type: ignore[no-any-return]  # one of Value, by the row's type

    return read_path


def _values_in(row: Row, path: tuple[str, ...], inner: Reader) -> Iterator[Any]:
    for item in getattr(row, path[0]) or ():
        if (value := inner(item)) is not None:
            yield value


def _joined_reader(path: tuple[str, ...]) -> Reader:
    inner = _path_reader(path[1:])

    def read_names(row: Row) -> Value:
        items = getattr(row, path[0])
        if not items:
            return None
        if len(items) == 1:
            return inner(items[0])
        names = ", ".join(dict.fromkeys(filter(None, _values_in(row, path, inner))))
        if len(names) > LONGEST:
            raise Unfit
        return names

    return read_names


def _gatherer(paths: Sequence[tuple[str, ...]]) -> Reader:
    inner = [(path[0], _path_reader(path[1:])) for path in paths if len(path) > 1]
    bare = [path[0] for path in paths if len(path) == 1]

    def read_ids(row: Row) -> Value:
        found = {getattr(row, name) for name in bare}
        for name, reader in inner:
            node = getattr(row, name)
            for item in node if isinstance(node, list) else [node]:
                if item is not None:
                    found.add(reader(item))
        return ids_of(found)

    return read_ids


def ids_of(found: Iterable[object]) -> Ids:
    """Sorted, so that the same people give the same value; zero means nobody."""
    return sorted({key for key in found if isinstance(key, int) and key > 0})


def _sum_reader(path: tuple[str, ...]) -> Reader:
    inner = _path_reader(path[1:])

    def read_sum(row: Row) -> Value:
        found = [_amount(value) for value in _values_in(row, path, inner)]
        return _amount(sum(found, Decimal(0))) if found else None

    return read_sum
