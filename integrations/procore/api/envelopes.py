"""The list or record in a Procore response body, however it is wrapped. Pure.

The same resource comes as a bare array, as `{"data": […]}` or under a key named after its tool, and
which one it uses is not always documented. Numbers with a point become Decimal, never float.
"""

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

Record = dict[str, Any]  # as decoded; the reader turns `Any` into types
Inner = TypeVar("Inner")

# Keys that may hold another list beside, or in place of, the requested records.
NOT_RECORDS = {"errors", "error", "warnings", "messages", "links", "meta", "pagination"}
LONGEST_NUMBER = 60  # digits; Python refuses to parse integers of thousands of digits
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_parts = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_LIST = re.compile(rb"\s*\[\s*(\{|\])?")


class NotTheShape(TypeError):
    """The body is JSON but not of the expected shape; `shape` describes it."""

    def __init__(self, shape: str) -> None:
        self.shape = shape
        super().__init__(shape)


def parsed(body: bytes) -> Any:
    """Any JSON document. Raises msgspec.DecodeError.

    One value that strict parsing rejects (a broken surrogate in a name, NaN) must not fail the
    page.
    """
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return json.loads(
            body.decode("utf-8-sig", "replace"),
            strict=False,
            parse_float=Decimal,
            parse_int=_whole,
            parse_constant=lambda _name: None,
        )
    except (ValueError, RecursionError):
        raise msgspec.DecodeError("not JSON") from None


def list_of(document: object) -> list[Any]:
    """The list in a document, whatever its entries. Raises NotTheShape."""
    if isinstance(document, list):
        if document and not any(isinstance(entry, dict) for entry in document):
            raise NotTheShape(f"a list of {_plural(document[0])}")
        return document
    if isinstance(document, dict):
        found = _chosen(document, _holds_records)
        if found is not None:
            return list_of(found)
        if isinstance(document.get("data"), dict):
            return list_of(document["data"])
        raise NotTheShape("an object without a list")
    raise NotTheShape(shape_of(document))


def rows_of(document: object) -> list[Record]:
    """The records of a list; entries that are not records are left out. Raises NotTheShape."""
    return [entry for entry in list_of(document) if isinstance(entry, dict)]


def record_of(document: object) -> Record:
    """A single record, bare, under `data` or as the only entry of a list. Raises NotTheShape."""
    inner = document
    if isinstance(inner, dict) and "id" not in inner and isinstance(inner.get("data"), dict | list):
        inner = inner["data"]
    if isinstance(inner, list) and len(inner) == 1:
        inner = inner[0]
    if not isinstance(inner, dict):
        raise NotTheShape(shape_of(inner))
    return inner


def list_part(body: bytes) -> bytes | msgspec.Raw:
    """The part of a body that is its list, not decoded yet. Raises NotTheShape, DecodeError."""
    if _LIST.match(body):
        return body
    try:
        parts = _parts(body)
    except msgspec.ValidationError:
        raise NotTheShape(shape_of(parsed(body))) from None  # neither a list nor an object
    found = _chosen(parts, lambda part: bool((match := _LIST.match(bytes(part))) and match[1]))
    if found is not None:
        return found
    inner = parts.get("data")
    if inner is not None and bytes(inner).lstrip().startswith(b"{"):
        return list_part(bytes(inner))
    raise NotTheShape("an object without a list")


def shape_of(value: object) -> str:
    """A description in words; never the value itself."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | Decimal | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list) else "an object"


def shape_of_body(body: bytes) -> str:
    """Describes a response that should have been JSON."""
    start = body[:200].lstrip().lower()
    if not start:
        return "an empty answer"
    if start.startswith(b"<"):
        return "a web page"
    try:
        return shape_of(parsed(body))
    except msgspec.DecodeError:
        return "an answer that breaks off" if start[:1] in b"[{" else "text that is not JSON"


def _chosen(parts: Mapping[str, Inner], fits: Callable[[Inner], bool]) -> Inner | None:
    """`data` where it fits, else the only key that does."""
    found = [name for name, part in parts.items() if name not in NOT_RECORDS and fits(part)]
    if "data" in found:
        return parts["data"]
    return parts[found[0]] if len(found) == 1 else None


def _holds_records(part: object) -> bool:
    if isinstance(part, list):
        return not part or isinstance(part[0], dict)
    return False


def _plural(value: object) -> str:
    words = {"nothing": "nothing", "a number": "numbers", "a list": "lists", "text": "texts"}
    return words.get(shape_of(value), "values")


def _whole(digits: str) -> int | Decimal:
    return int(digits) if len(digits) <= LONGEST_NUMBER else Decimal(digits)
