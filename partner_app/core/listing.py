"""One page of a long list, and the addresses of its neighbours with the same filters."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpRequest

ROWS_A_PAGE = 30
MOST = 5000  # rows that a list pages through and counts: older ones are found by a filter


def page_of(
    request: HttpRequest, rows: Any, *, size: int = ROWS_A_PAGE, most: int | None = MOST
) -> dict[str, Any]:
    """`page` and `query`, as dashboard/_pages.html expects them."""
    page: Page[Any] = Paginator(rows[:most], size).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    return {"page": page, "query": f"&{query.urlencode()}" if query else ""}
