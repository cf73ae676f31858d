"""Validates input about a handoff."""

from django import forms

from partner_app.handoffs.models import Action


class CommentForm(forms.Form):
    comment = forms.CharField(required=False, max_length=1000)


class RejectForm(forms.Form):
    comment = forms.CharField(max_length=1000)


class PlanForm(forms.Form):
    """`override`: a WBS code that people changed in Procore, to be overwritten anyway."""

    override = forms.CharField(required=False, max_length=200)


class UndoForm(forms.Form):
    """`zero`: lines that cannot be deleted are set to zero instead."""

    zero = forms.BooleanField(required=False)


class UndoRequestForm(CommentForm, UndoForm):
    pass


class RowsForm(forms.Form):
    show = forms.ChoiceField(choices=Action.choices, required=False)
    page = forms.IntegerField(min_value=1, required=False)
