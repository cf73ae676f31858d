"""What arrives is untyped: absent and null are the same, a wrong shape is named, nothing rounds."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.procore.resources.change_events import ChangeEvent
from integrations.procore.resources.decoding import (
    Decoded,
    FieldUnreadable,
    content_hash,
    decoder_of,
)
from integrations.procore.resources.registry import RESOURCES
from integrations.procore.resources.rfis import Rfi
from integrations.procore.resources.source import SourceRecord, kept_fields

encode = msgspec.json.Encoder(decimal_format="number").encode
ROW: dict[str, Any] = {"id": 4300000001, "updated_at": "2026-01-02T03:04:05Z", "subject": "S"}


def decode(model: type[SourceRecord], row: dict[str, Any]) -> Decoded:
    body = encode([row])
    return decoder_of(model, ())(body).records[0]


def value(row: dict[str, Any], name: str) -> object:
    names = [field.name for field, _ in kept_fields(Rfi)]
    return decode(Rfi, row).values[names.index(name)]


@pytest.mark.parametrize("path", ["due_date", "cost_impact", "ball_in_court", "full_number"])
def test_a_null_is_the_same_as_nothing(path: str) -> None:
    assert decode(Rfi, {**ROW, path: None}) == decode(Rfi, ROW)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, max_value=10**10))
def test_an_amount_is_exact_as_text_and_as_number(amount: Decimal) -> None:
    for given_ in (str(amount), amount):
        assert value({**ROW, "cost_impact": {"value": given_}}, "cost_impact") == amount


@pytest.mark.parametrize(
    ("field", "wrong"), [("due_date", "soon"), ("subject", {"text": "S"}), ("initiated_at", [])]
)
def test_a_field_in_an_unknown_shape_is_named(field: str, wrong: object) -> None:
    with pytest.raises(FieldUnreadable) as caught:
        decode(Rfi, {**ROW, field: wrong})
    assert caught.value.field == field


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
