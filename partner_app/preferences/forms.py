"""Settings that a company's administrator may change."""

from django import forms

from partner_app.accounts.grants import HOURS
from partner_app.tenancy.models import LONGEST_GRACE


class SupportForm(forms.Form):
    """0 hours ends a grant."""

    hours = forms.TypedChoiceField(choices=[(value, value) for value in (0, *HOURS)], coerce=int)


class DutiesForm(forms.Form):
    apart = forms.BooleanField(required=False)


class DigestForm(forms.Form):
    often = forms.ChoiceField(choices=[(name, name) for name in ("daily", "weekly", "none")])


class GraceForm(forms.Form):
    days = forms.IntegerField(min_value=0, max_value=LONGEST_GRACE)


class BudgetViewForm(forms.Form):
    """Procore's ids."""

    project = forms.IntegerField(required=False, min_value=1)
    view = forms.IntegerField(required=False, min_value=1)
