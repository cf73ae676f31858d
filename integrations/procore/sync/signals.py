"""Django signals for higher layers, so that this one need not know them."""

from django.dispatch import Signal

# In the transaction that wrote them: `company_id`, and the `project_ids` whose records changed (0:
# the company itself).
records_changed = Signal()

# After a run has ended, outside of its transaction: `company_id`.
run_ended = Signal()
