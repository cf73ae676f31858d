"""Validates input from the workspace's pages."""

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from partner_app.core import clock
from partner_app.embedded.forms import validate_page
from partner_app.insights.models import CaseSettings, Rule

LONGEST_SNOOZE = 365  # days
SNOOZES = (("7", _("a week")), ("30", _("30 days")), ("90", _("90 days")))


class PlainSelect(forms.Select):
    """Like Django's, but without rendering a template for each of hundreds of options."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        chosen = "" if value is None else str(value)
        options = [
            f'<option value="{escape(key)}"{" selected" * (str(key) == chosen)}>{escape(label)}'
            for key, label in self.choices
        ]
        return format_html(
            '<select name="{}" id="id_{}">{}</select>',
            name,
            name,
            mark_safe("</option>".join([*options, ""])),  # noqa: S308  # escaped above
        )


class ProjectsForm(forms.Form):
    q = forms.CharField(required=False, max_length=100, strip=True)


class _Filters(forms.Form):
    """A list's filters, kept in its address."""

    @property
    def query(self) -> str:
        """The current filters, for the address of another page of the same list."""
        given = getattr(self, "cleaned_data", {})
        kept = {name: value for name, value in given.items() if value not in (None, "")}
        return "&" + urlencode(kept) if kept else ""


class CasesForm(_Filters):
    rule = forms.ChoiceField(required=False, label=_("Kind"))
    project = forms.TypedChoiceField(
        required=False, coerce=int, empty_value=None, label=_("Project"), widget=PlainSelect
    )
    state = forms.ChoiceField(
        required=False,
        label=_("Show"),
        choices=[("", _("Open")), ("snoozed", _("Snoozed"))],
    )

    def __init__(self, data: Any, *, projects: Mapping[int, str], rules: Collection[Rule]) -> None:
        super().__init__(data)
        rule: Any = self.fields["rule"]
        known = [(own.value, own.label) for own in Rule if own in rules]
        rule.choices = [("", _("All kinds")), *known]
        project: Any = self.fields["project"]
        project.choices = [("", _("All projects")), *projects.items()]


class SearchForm(_Filters):
    q = forms.CharField(required=False, max_length=200, strip=True, label=_("Search words"))
    kind = forms.ChoiceField(required=False, label=_("Kind"))
    project = forms.TypedChoiceField(
        required=False, coerce=int, empty_value=None, label=_("Project"), widget=PlainSelect
    )

    def __init__(self, data: Any, *, projects: Mapping[int, str], kinds: Collection[str]) -> None:
        super().__init__(data)
        kind: Any = self.fields["kind"]
        kind.choices = [("", _("All kinds")), *((name, name) for name in kinds)]
        project: Any = self.fields["project"]
        project.choices = [("", _("All projects")), *projects.items()]


FRAME = "/embedded/"


class SnoozeForm(forms.Form):
    days = forms.ChoiceField(choices=SNOOZES, label=_("For"))
    reason = forms.CharField(
        max_length=300,
        strip=True,
        label=_("Why"),
        error_messages={"required": _("Give a reason, for the next person.")},
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if "days" not in given:
            return given
        until: date = clock.now().date() + timedelta(days=int(given.pop("days")))
        return {**given, "until": until}


class NoteForm(forms.Form):
    note = forms.CharField(required=False, max_length=500, strip=True, label=_("Note"))


class SaveViewForm(forms.Form):
    name = forms.CharField(
        max_length=60,
        strip=True,
        label=_("Name"),
        error_messages={"required": _("Name the view.")},
    )
    path = forms.CharField(max_length=500)

    def clean_path(self) -> str:
        path: str = self.cleaned_data["path"]
        try:
            if not path.startswith(FRAME):
                raise ValidationError("elsewhere")
            validate_page(path.removeprefix(FRAME))
        except ValidationError:
            raise ValidationError(_("This page cannot be saved.")) from None
        return path


class LimitsForm(forms.ModelForm):  # type: ignore[type-arg]  # only the stubs take one
    """The amounts and days from which a company lists exceptions."""

    class Meta:
        model = CaseSettings
        fields = (
            "over_commitment", "buyout_gap", "pending_exposure", "handoff_drift",
            "invoice_over_contract", "rfi_days", "submittal_days", "event_days",
        )  # fmt: skip
