"""Validates what comes in by address or by POST."""

import re

from django import forms
from django.core.exceptions import ValidationError

LARGEST_ID = 2**63 - 1
# A page below /embedded/: no scheme, no host, no way up, and no percent signs that could hide one.
PAGE = re.compile(r"(?!.*(//|\.\.))[A-Za-z0-9][A-Za-z0-9/_.-]*")
QUERY = re.compile(r"[A-Za-z0-9/_.=&%+?~!*'(),;:@$-]*")


def validate_page(value: str) -> None:
    """The path of a deep link, or of a view that a person saves. Raises ValidationError."""
    path, _, query = value.partition("?")
    if not (PAGE.fullmatch(path) and QUERY.fullmatch(query)):
        raise ValidationError("not a page of the frame")


class FrameForm(forms.Form):
    """Parameters of Procore's frame: hints, never proof."""

    company_id = forms.IntegerField(min_value=1, max_value=LARGEST_ID)
    project_id = forms.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)
    view = forms.CharField(max_length=100, required=False)
    resource_id = forms.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)
    open = forms.CharField(required=False, validators=[validate_page])


class SignInForm(forms.Form):
    company_id = forms.IntegerField(min_value=1, max_value=LARGEST_ID)
    nonce = forms.CharField(min_length=20, max_length=200)


class SessionForm(forms.Form):
    code = forms.CharField(min_length=20, max_length=200)
    nonce = forms.CharField(min_length=20, max_length=200)


class RenewalForm(forms.Form):
    renewal = forms.CharField(min_length=20, max_length=200)


class PairingForm(forms.Form):
    nonce = forms.CharField(min_length=20, max_length=200)
    collect = forms.BooleanField(required=False)


class PairingConfirmForm(forms.Form):
    sign_in_code = forms.CharField(min_length=20, max_length=200)
    typed = forms.CharField(min_length=1, max_length=20)


class CompanyForm(forms.Form):
    company_id = forms.IntegerField(min_value=1, max_value=LARGEST_ID)
