"""What may come in by address or by post."""

from django import forms

LARGEST_ID = 2**63 - 1


class FrameForm(forms.Form):
    """Hints of Procore's frame: never proof."""

    company_id = forms.IntegerField(min_value=1, max_value=LARGEST_ID)
    project_id = forms.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)
    view = forms.CharField(max_length=100, required=False)
    resource_id = forms.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)
    # A page below /embedded/, as a deep link names it: no scheme, no host, no way up.
    open = forms.RegexField(r"^(?!.*(//|\.\.))[a-z0-9][A-Za-z0-9/_.=&%+?-]*$", required=False)


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


class ConfirmForm(forms.Form):
    handoff_code = forms.CharField(min_length=20, max_length=200)
    typed = forms.CharField(min_length=1, max_length=20)


class CompanyForm(forms.Form):
    company_id = forms.IntegerField(min_value=1, max_value=LARGEST_ID)
