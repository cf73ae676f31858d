"""Input is untyped: absent equals null, a wrong shape is named, nothing rounds."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.procore.api.envelopes import NotTheShape
from integrations.procore.api.values import record_id
from integrations.procore.resources.change_events import ChangeEvent
from integrations.procore.resources.columns import LIST
from integrations.procore.resources.decoding import (
    Batch,
    Decoded,
    Fault,
    content_hash,
    decoder_of,
)
from integrations.procore.resources.registry import RESOURCES
from integrations.procore.resources.rfis import Rfi
from integrations.procore.resources.source import SourceRecord, kept_fields
from integrations.procore.resources.users import User

encode = msgspec.json.Encoder(decimal_format="number").encode
ROW: dict[str, Any] = {"id": 4300000001, "updated_at": "2026-01-02T03:04:05Z", "subject": "S"}


def batch(model: type[SourceRecord], *rows: object) -> Batch:
    return decoder_of(model, ())(encode(list(rows)))


def decode(model: type[SourceRecord], row: dict[str, Any]) -> Decoded:
    return batch(model, row).records[0]


def value(row: dict[str, Any], name: str, model: type[SourceRecord] = Rfi) -> object:
    names = [field.name for field, _ in kept_fields(model)]
    return decode(model, row).values[names.index(name)]


@pytest.mark.parametrize("path", ["due_date", "cost_impact", "ball_in_court", "full_number"])
def test_a_null_is_the_same_as_nothing(path: str) -> None:
    assert decode(Rfi, {**ROW, path: None}) == decode(Rfi, ROW)


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=2, min_value=-(10**10), max_value=10**10
    )
)
def test_an_amount_is_exact_as_text_and_as_number(amount: Decimal) -> None:
    for given_ in (str(amount), amount):
        assert value({**ROW, "cost_impact": {"value": given_}}, "cost_impact") == amount


SUBJECT = {"id": 4300000001, "subject": "S"}


@pytest.mark.parametrize(
    ("path", "given_", "name", "expected"),
    [
        ("due_date", "2026-03-01T05:00:00Z", "due_date", date(2026, 3, 1)),
        ("due_date", "2026/03/01", "due_date", date(2026, 3, 1)),
        ("initiated_at", "2026-03-01", "initiated_at", datetime(2026, 3, 1, tzinfo=UTC)),
        ("initiated_at", "2026-03-01T01:02:03", "initiated_at",
         datetime(2026, 3, 1, 1, 2, 3, tzinfo=UTC)),
        ("initiated_at", 1772323323000, "initiated_at",
         datetime(2026, 3, 1, 0, 2, 3, tzinfo=UTC)),
        ("full_number", 17, "number", "17"),
        ("full_number", Decimal("17.50"), "number", "17.50"),
        ("full_number", ["17", "18"], "number", "17"),
        ("subject", {"id": 3, "name": "S"}, "subject", "S"),
        ("status", "new in Procore", "status", "new in Procore"),
        ("cost_impact", {"value": "$1,234.50"}, "cost_impact", Decimal("1234.50")),
        ("cost_impact", {"value": "(1,234.50)"}, "cost_impact", Decimal("-1234.50")),
        ("cost_impact", {"value": "1.234,50 €"}, "cost_impact", Decimal("1234.50")),
        ("cost_impact", {"value": "CAD 1 234 567"}, "cost_impact", Decimal(1234567)),
        ("cost_impact", {"value": ""}, "cost_impact", None),
        ("cost_impact", [{"value": "12"}], "cost_impact", Decimal(12)),
        ("cost_impact", "1200.5", "cost_impact", Decimal("1200.5")),
        ("ball_in_court", "", "ball_in_court", ""),
        ("ball_in_court", [], "ball_in_court", ""),
        ("ball_in_court", [{"name": "Ann"}, {"name": "Bo"}], "ball_in_court", "Ann, Bo"),
        ("ball_in_court", "Ann", "ball_in_court", "Ann"),
        ("ball_in_courts", [{"name": "Ann"}, {"name": "Bo"}], "ball_in_court", "Ann, Bo"),
        ("ball_in_courts", {"name": "Ann"}, "ball_in_court", "Ann"),
        ("subject", "a\0b", "subject", "ab"),
        ("subject", "\N{BUILDING CONSTRUCTION}", "subject", "\N{BUILDING CONSTRUCTION}"),
    ],
)  # fmt: skip
def test_a_value_in_another_form_is_read(
    path: str, given_: object, name: str, expected: object
) -> None:
    found = batch(Rfi, {**ROW, path: given_})
    assert not found.faults
    assert value({**ROW, path: given_}, name) == expected


@pytest.mark.parametrize(
    ("path", "wrong", "name", "shape"),
    [
        ("due_date", "soon", "due_date", "text where a date was expected"),
        ("due_date", "0001-01-01", "due_date", "a date out of range"),
        ("due_date", "9999-12-31T23:59:59-05:00", "due_date", "a date out of range"),
        ("due_date", "2026-02-30", "due_date", "a date that is none"),
        ("initiated_at", "9999-12-31T23:59:59Z", "initiated_at", "a date and time out of range"),
        ("initiated_at", True, "initiated_at", "true or false where a date and time was expected"),
        ("subject", {"text": "S"}, "subject", "an object where text was expected"),
        ("subject", "x" * 10_000_000, "subject", "text that is too long"),
        ("status", "x" * 600, "status", "text that is too long"),
        ("cost_impact", {"value": "1e400"}, "cost_impact", "an amount out of range"),
        ("cost_impact", {"value": "9" * 17}, "cost_impact", "an amount out of range"),
        ("cost_impact", {"value": "NaN"}, "cost_impact", "an amount out of range"),
        ("cost_impact", {"value": "1234,567"}, "cost_impact", "text where an amount was expected"),
        ("cost_impact", {"value": "a lot"}, "cost_impact", "text where an amount was expected"),
        ("cost_impact", {"value": False}, "cost_impact",
         "true or false where an amount was expected"),
        ("updated_at", "yesterday", "updated_at", "text where a date and time was expected"),
        ("deleted_at", "no", "deleted_at", "text where a date and time was expected"),
        ("deleted_at", "0001-01-01T00:00:00Z", "deleted_at", "a date and time out of range"),
    ],
)  # fmt: skip
def test_a_field_that_cannot_be_read_is_empty_and_named_without_its_value(
    path: str, wrong: object, name: str, shape: str
) -> None:
    found = batch(Rfi, {**ROW, path: wrong}, {"id": 8, "subject": "T"})
    assert found.faults == [Fault(ROW["id"], name, shape, set_aside=False)]
    assert [record.remote_id for record in found.records] == [ROW["id"], 8]
    assert not found.deleted
    if name in {field.name for field, _ in kept_fields(Rfi)}:
        assert value({**ROW, path: wrong}, name) in (None, "")


@pytest.mark.parametrize("key", [0, -1, 2**63, 2**80, None, "", "x", True, [], {"id": 3}, 1.5, "0"])
def test_a_record_without_a_usable_id_is_counted_and_costs_no_other(key: object) -> None:
    found = batch(Rfi, {"id": key, "subject": "lost"}, SUBJECT, {"subject": "no id at all"})
    assert [record.remote_id for record in found.records] == [SUBJECT["id"]]
    assert found.nameless == 2
    assert all(fault.set_aside and fault.field == "id" for fault in found.faults)


@pytest.mark.parametrize("key", ["4300000001", 4300000001.0, Decimal(4300000001), " 4300000001"])
def test_an_id_may_be_text(key: object) -> None:
    assert batch(Rfi, {**ROW, "id": key}).records == batch(Rfi, ROW).records


def test_what_is_no_record_among_records_is_counted() -> None:
    found = batch(Rfi, None, SUBJECT, 5, [SUBJECT])
    assert len(found.records) == 1
    assert found.nameless == 3


def test_a_yes_or_no_in_other_forms_and_in_none() -> None:
    for given_, expected in (("false", False), ("Yes", True), (0, False), ("1", True)):
        assert value({"id": 1, "is_active": given_}, "is_active", User) is expected
    found = batch(User, {"id": 1, "is_active": "maybe"}, {"id": 2, "is_active": True})
    assert [record.remote_id for record in found.records] == [2]
    assert found.faults == [
        Fault(1, "is_active", "text where yes or no was expected", set_aside=True)
    ]
    assert set(found.ids) == {1, 2}


def test_of_a_record_that_came_twice_the_later_change_counts() -> None:
    late = {"id": 1, "updated_at": "2026-02-02T00:00:00Z", "subject": "late"}
    early = {"id": 1, "updated_at": "2026-01-01T00:00:00Z", "subject": "early"}
    for rows in ([late, early], [early, late]):
        assert [r.values for r in batch(Rfi, *rows).records] == [decode(Rfi, late).values]
    undated = [{"id": 1, "subject": "first"}, {"id": 1, "subject": "last"}]
    assert [r.values for r in batch(Rfi, *undated).records] == [decode(Rfi, undated[1]).values]
    gone = {**late, "deleted_at": "2026-02-02T00:00:00Z"}
    for rows in ([gone, early], [early, gone]):
        assert batch(Rfi, *rows).deleted == [1]
        assert not batch(Rfi, *rows).records


@pytest.mark.parametrize(
    "wrap",
    [
        lambda rows: rows,
        lambda rows: {"data": rows},
        lambda rows: {"rfis": rows},
        lambda rows: {"rfis": rows, "total": 3, "errors": []},
        lambda rows: {"data": {"rfis": rows}},
        lambda rows: {"data": rows, "included": [{"id": 9}]},
    ],
)
def test_a_list_is_found_in_any_envelope(wrap: Any) -> None:
    expected = batch(Rfi, ROW)
    for rows in ([ROW], [{**ROW, "due_date": "2026-01-01T00:00:00Z"}]):
        found = decoder_of(Rfi, ())(encode(wrap(rows)))
        assert [record.remote_id for record in found.records] == [expected.records[0].remote_id]
    assert decoder_of(Rfi, ())(encode(wrap([]))).records == []


@pytest.mark.parametrize(
    "body",
    [b"null", b"7", b'"text"', b"{}", b'{"errors": [{"id": 1}]}', b'{"data": null}', b"[[1], [2]]",
     b'{"a": [{"id": 1}], "b": [{"id": 2}]}', b"[1, 2]", b"true"],
)  # fmt: skip
def test_what_is_no_list_is_not_taken_for_an_empty_one(body: bytes) -> None:
    with pytest.raises(NotTheShape):
        decoder_of(Rfi, ())(body)


@pytest.mark.parametrize("body", [b"", b"<html></html>", b'[{"id": 1', b"[" * 100_000, b"\xff"])
def test_what_is_no_json_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decoder_of(Rfi, ())(body)


@pytest.mark.parametrize(
    "text", [rb'"\ud800"', b"NaN", b'"\xff"', b"9" * 5000, b"1e999999999", b'"a\nb"']
)
def test_json_that_is_not_quite_json_costs_one_field_at_most(text: bytes) -> None:
    body = b'[{"id": 1, "subject": %s, "cost_impact": {"value": %s}}, {"id": 2}]' % (text, text)
    assert [record.remote_id for record in decoder_of(Rfi, ())(body).records] == [1, 2]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.dates().map(str)
    | st.datetimes().map(lambda moment: moment.isoformat() + "Z")
    | st.decimals(allow_nan=False, allow_infinity=False).map(str),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "name", "value", "amount", "x"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@st.composite
def odd_records(draw: Any, model: type[SourceRecord]) -> dict[str, Any]:
    """A record with any value at any step of any kept field's path."""
    row: dict[str, Any] = {"id": draw(st.integers(2, 9) | json_values)}
    for field, why in kept_fields(model):
        if draw(st.booleans()):
            continue
        path = draw(st.sampled_from(why.gathered or (why.path or (field.name,),)))
        path = (path[0].removesuffix(LIST), *path[1:])
        depth = draw(st.integers(1, len(path)))
        node = row
        for step in path[: depth - 1]:
            inner = node.setdefault(step, {})
            if not isinstance(inner, dict):
                break
            node = inner
        else:
            node[path[depth - 1]] = draw(json_values)
    for stamp in ("updated_at", "deleted_at"):
        if draw(st.booleans()):
            row[stamp] = draw(json_values)
    return row


@pytest.mark.slow
@pytest.mark.parametrize("name", RESOURCES)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)  # a shared machine is slow
@given(st.data())
def test_no_value_raises_or_costs_another_record(name: str, data: Any) -> None:
    model = RESOURCES[name]
    odd = data.draw(st.lists(odd_records(model), min_size=1, max_size=3))
    good = {"id": 1, "updated_at": "2026-01-02T03:04:05Z"}
    place = data.draw(st.integers(0, len(odd)))
    found = batch(model, *odd[:place], good, *odd[place:])
    assert decode(model, good) in found.records
    keys = [record_id(row["id"]) for row in odd]
    assert set(found.ids) == {1, *filter(None, keys)}
    assert found.nameless == keys.count(None)
    for record in found.records:
        assert len(record.content_hash) == 16
        for kept in record.values:
            assert kept is None or isinstance(kept, str | int | bool | Decimal | date | list)


@pytest.mark.parametrize("name", RESOURCES)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)  # a shared machine is slow
@given(st.data())
def test_a_record_is_read_alike_on_a_page_that_fits_and_on_one_that_does_not(
    name: str, data: Any
) -> None:
    """One odd record sends its page through the slow decoder, with otherwise equal results."""
    model = RESOURCES[name]
    row = {**data.draw(odd_records(model)), "id": 5}
    alone = batch(model, row)
    beside = batch(model, row, {"id": 6, "updated_at": []}, {"id": 0})
    assert alone.records == [record for record in beside.records if record.remote_id == 5]
    assert alone.deleted == beside.deleted
    assert alone.faults == [fault for fault in beside.faults if fault.remote_id == 5]


def test_unknown_fields_are_not_kept() -> None:
    assert decode(Rfi, {**ROW, "secret": "x"}) == decode(Rfi, ROW)


def test_equal_values_have_equal_hashes_however_an_amount_was_written() -> None:
    assert content_hash([Decimal("1.5")]) == content_hash([Decimal("1.50")])
    assert content_hash([Decimal(0)]) == content_hash([Decimal("0.00")])
    assert content_hash(["1.5"]) != content_hash(["1.50"])
    assert content_hash([None]) != content_hash([""])


def test_the_latest_cost_of_a_change_event_adds_up_its_items() -> None:
    items = [{"latest_cost_values": {"amount": "10.10"}}, {"latest_cost_values": {"amount": 2}}, {}]
    row = {"id": 1, "change_items": items}
    names = [field.name for field, _ in kept_fields(ChangeEvent)]
    found = decode(ChangeEvent, row).values[names.index("latest_cost")]
    assert found == Decimal("12.10")


@pytest.mark.parametrize("name", RESOURCES)
def test_every_resource_decodes_a_record_that_has_nothing_but_an_id(name: str) -> None:
    assert decode(RESOURCES[name], {"id": 7}).remote_id == 7


def test_everybody_named_on_a_record_is_found_wherever_they_are_named() -> None:
    def people(**fields: Any) -> Any:
        names = [field.name for field, _ in kept_fields(Rfi)]
        return decode(Rfi, {"id": 1, **fields}).values[names.index("named")]

    several = [{"id": 8}, {"id": 7}, {"id": 8}]
    assert people(assignees=several, rfi_manager={"id": 9}, created_by={"id": 0}) == [7, 8, 9]
    assert people() == people(assignees=[], rfi_manager={}, assignee=None) == []
    # One where many were expected, many where one was, and a name without meaning.
    assert people(assignees={"id": 7}, rfi_manager=[{"id": "9"}, {"id": 4}]) == [4, 7, 9]
    assert people(assignees=[{"id": "x"}, {"id": 3}], assignee="nobody") == [3]


@pytest.mark.parametrize(("said", "kept"), [("true", True), ("false", False), (True, True)])
def test_whether_a_record_is_private_is_kept(said: Any, kept: object) -> None:
    names = [field.name for field, _ in kept_fields(Rfi)]
    place = names.index("private")
    assert decode(Rfi, {"id": 1, "private": said}).values[place] is kept
    assert decode(Rfi, {"id": 1}).values[place] is None  # unknown, so not open
