"""The dashboard's filters and forms."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from integrations.notify.webhook import NotifyFailed, read_address
from integrations.procore.sync.models import RunState
from partner_app.dashboard.models import ChannelKind
from partner_app.tenancy.models import CompanyState

ANY = [("", "Any")]


class FilterForm(forms.Form):
    """An invalid filter filters nothing."""

    def asked(self) -> dict[str, Any]:
        self.is_valid()
        return {name: self.cleaned_data.get(name) or "" for name in self.fields}


class TenantsForm(FilterForm):
    text = forms.CharField(label="Name or number", required=False, max_length=100)
    state = forms.ChoiceField(choices=ANY + list(CompanyState.choices), required=False)
    trouble = forms.ChoiceField(
        choices=[
            *ANY, ("incidents", "With open incidents"), ("stale", "Stale for an hour"),
            ("paused", "Paused"),
        ],
        required=False,
    )  # fmt: skip
    sort = forms.ChoiceField(
        choices=[
            ("name", "Name"), ("stalest", "Stalest first"), ("state", "State"),
            ("newest", "Changed last"),
        ],
        required=False,
    )  # fmt: skip


class RunsForm(FilterForm):
    state = forms.ChoiceField(choices=ANY + list(RunState.choices), required=False)
    company = forms.IntegerField(required=False, widget=forms.HiddenInput)


class DeliveriesForm(FilterForm):
    company = forms.IntegerField(required=False, widget=forms.HiddenInput)


class IncidentsForm(FilterForm):
    state = forms.ChoiceField(
        choices=[("open", "Open"), ("closed", "Closed"), ("any", "All")], required=False
    )


class UnreadableForm(FilterForm):
    company = forms.IntegerField(required=False, widget=forms.HiddenInput)


class AuditForm(FilterForm):
    text = forms.CharField(label="Who or what", required=False, max_length=100)
    company = forms.IntegerField(label="Company number", required=False)
    since = forms.DateField(
        label="From", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        label="To", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )


class ChannelForm(forms.Form):
    name = forms.CharField(max_length=60)
    kind = forms.ChoiceField(choices=ChannelKind.choices)
    address = forms.CharField(
        max_length=500, help_text="An email address, or the https address of a webhook"
    )
    quiet_from = forms.TimeField(
        label="Quiet from", required=False, widget=forms.TimeInput(attrs={"type": "time"})
    )
    quiet_to = forms.TimeField(
        label="Quiet to", required=False, widget=forms.TimeInput(attrs={"type": "time"})
    )
    time_zone = forms.CharField(label="Time zone", initial="UTC", max_length=60)

    def clean_time_zone(self) -> str:
        zone: str = self.cleaned_data["time_zone"]
        if zone not in available_timezones():
            raise ValidationError("Use a name such as America/Chicago or UTC.")
        return zone

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        address = str(found.get("address", ""))
        if found.get("kind") == ChannelKind.EMAIL and address:
            try:
                validate_email(address)
            except ValidationError:
                self.add_error("address", "This is not an email address.")
        elif address:
            try:
                read_address(address, local=settings.ON_LOCALHOST)
            except NotifyFailed as error:
                self.add_error("address", str(error))
        if bool(found.get("quiet_from")) != bool(found.get("quiet_to")):
            self.add_error("quiet_to", "Quiet hours need a start and an end.")
        return found


class ActionForm(forms.Form):
    """`word` must be typed where an action cannot be undone."""

    word = forms.CharField(required=False, max_length=300)
    address = forms.EmailField(label="Their mail address", required=False)
    chosen = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, data: Any = None, *, choices: Sequence[tuple[int, str]] = ()) -> None:
        """`choices`: at least one must be selected, where there are any."""
        super().__init__(data)
        self.offered = list(choices)
        field = self.fields["chosen"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(str(key), text) for key, text in choices]

    def clean_chosen(self) -> list[int]:
        chosen = [int(key) for key in self.cleaned_data["chosen"]]
        if self.offered and not chosen:
            raise ValidationError("Choose at least one.")
        return chosen
