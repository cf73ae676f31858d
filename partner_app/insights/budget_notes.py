"""Notes on how a project's budget was read, in the reader's language."""

from collections.abc import Collection, Iterable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrations.procore.resources.budget_codes import untied
from integrations.procore.resources.budget_rows import BudgetRow
from integrations.procore.sync.budget_choice import choice_of, lacks_pinned_view
from partner_app.core.templatetags.show import money
from partner_app.insights.contracts import DEFAULT_CURRENCY


def budget_notes(
    company_id: int, project_id: int, rows: Iterable[BudgetRow], *, unread: Collection[str]
) -> list[str]:
    """Inside tenant(). Usually there is none; `unread` as unread_sums gives it."""
    found = []
    count, sums = untied(rows)
    if count:
        text = ngettext(
            "%(number)s budget row could not be matched to a WBS code: %(amounts)s. It counts in "
            "the totals, but under no code.",
            "%(number)s budget rows could not be matched to a WBS code: %(amounts)s. They count in "
            "the totals, but under no code.",
            count,
        )
        amounts = [money(sum_, currency or DEFAULT_CURRENCY) for currency, sum_ in sums.items()]
        found.append(text % {"number": count, "amounts": ", ".join(amounts)})
    if unread:
        found.append(
            _(
                "Committed, spent and pending come from Procore’s budget view for now; the records "
                "behind them are being read."
            )
        )
    if lacks_pinned_view(company_id, project_id):
        text = _(
            "This project does not have the budget view “%(name)s” that your company chose, so its "
            "standard view is used. To change that, add the view to the project in Procore."
        )
        found.append(text % {"name": choice_of(company_id).name})
    return found
