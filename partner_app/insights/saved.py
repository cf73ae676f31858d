"""Views that a viewer saved under a name."""

from django.db.models import QuerySet

from partner_app.embedded.session import Viewer
from partner_app.insights.errors import ViewUnknown
from partner_app.insights.models import SavedView

MOST = 30  # per viewer


def views_of(viewer: Viewer) -> "QuerySet[SavedView]":
    """Inside tenant()."""
    rows = SavedView.objects.filter(
        company_id=viewer.company_id, remote_user_id=viewer.remote_user_id
    )
    return rows.order_by("name")


def save_view(viewer: Viewer, *, name: str, path: str) -> None:
    """Inside tenant(). The same name again replaces the former view; the oldest make room."""
    SavedView.objects.update_or_create(
        company_id=viewer.company_id,
        remote_user_id=viewer.remote_user_id,
        name=name,
        defaults={"path": path},
    )
    surplus = views_of(viewer).order_by("-id").values_list("id", flat=True)[MOST:]
    SavedView.objects.filter(id__in=list(surplus)).delete()


def delete_view(viewer: Viewer, view_id: int) -> None:
    """Inside tenant(). Raises ViewUnknown."""
    if not views_of(viewer).filter(id=view_id).delete()[0]:
        raise ViewUnknown
