"""Costs whose lists are not read yet: until then Procore's budget view provides the sums.

One call per project reads the view; the lines of its contracts take one call per contract.
"""

from integrations.procore.sync.models import SyncCursor

_CONTRACTS = frozenset({"commitments", "commitment_line_items", "change_orders"})
# Our sum, and the lists that it is made of.
LISTS = {
    "committed": _CONTRACTS,
    "pending": _CONTRACTS,
    "direct": frozenset({"direct_costs", "direct_cost_line_items"}),
}


def unread_sums(company_id: int, project_id: int) -> frozenset[str]:
    """Names of the sums that cannot be made from records yet."""
    cursors = SyncCursor.objects.filter(company_id=company_id, project_id=project_id)
    read = set(cursors.exclude(fresh_at=None).values_list("resource", flat=True))
    return frozenset(name for name, lists in LISTS.items() if not lists <= read)
