"""The form for a question to support."""

from django import forms
from django.utils.translation import gettext_lazy as _


class QuestionForm(forms.Form):
    text = forms.CharField(
        label=_("What did you do, and what did you see?"),
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": _("Tell us what you did and what you saw.")},
    )
    page = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)
    consent = forms.BooleanField(
        label=_("Attach the status of syncs and connection: states, times and counts, no records"),
        required=False,
    )
