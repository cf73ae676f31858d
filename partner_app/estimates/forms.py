"""Validates input about an estimate."""

from decimal import Decimal

from django import forms

from partner_app.estimates.reading.layout import FileColumn

MOST_SHARES = 6


class UploadForm(forms.Form):
    file = forms.FileField()
    revision_of = forms.UUIDField(required=False)


class AnswerForm(forms.Form):
    """One answer at a time; the fields given show which one."""

    part = forms.CharField(required=False, max_length=500)
    sheet = forms.CharField(required=False, max_length=500)
    column = forms.ChoiceField(choices=[(c.value, c.value) for c in FileColumn], required=False)
    place = forms.IntegerField(min_value=0, max_value=16_384, required=False)
    row = forms.IntegerField(min_value=1, required=False)
    text = forms.CharField(required=False, max_length=200, strip=True)
    leave_out = forms.IntegerField(min_value=1, required=False)
    take_back = forms.IntegerField(min_value=1, required=False)


class ChooseForm(forms.Form):
    """A WBS code for a group of lines, or several codes with percents."""

    group = forms.RegexField(r"^[0-9a-f]{16}$")
    code = forms.CharField(required=False, max_length=200)

    def shares(self) -> list[tuple[str, Decimal]]:
        """Pairs of `code_n` and `percent_n`, or the one code for everything."""
        pairs = []
        for number in range(1, MOST_SHARES + 1):
            code = str(self.data.get(f"code_{number}", "")).strip()
            raw = str(self.data.get(f"percent_{number}", "")).strip().removesuffix("%")
            if code and raw:
                pairs.append((code, forms.DecimalField(max_digits=9).clean(raw)))
        return pairs or [(self.cleaned_data["code"], Decimal(100))]


class GroupForm(forms.Form):
    group = forms.RegexField(r"^[0-9a-f]{16}$")


class CodesForm(forms.Form):
    group = forms.RegexField(r"^[0-9a-f]{16}$")
    q = forms.CharField(required=False, max_length=100)


class ListForm(forms.Form):
    show = forms.ChoiceField(choices=[("open", "open"), ("all", "all")], required=False)
    q = forms.CharField(required=False, max_length=100)
    page = forms.IntegerField(min_value=1, required=False)
