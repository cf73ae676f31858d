"""Reads one resource of one project from Procore, page by page. Uses no database."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from integrations.procore.api.client import ProcoreClient
from integrations.procore.api.errors import Forbidden, NotFoundOrHidden
from integrations.procore.api.pages import ListGuard, Page, between
from integrations.procore.resources.budget_columns import renaming
from integrations.procore.resources.budget_views import (
    NO_CHOICE,
    ViewChoice,
    choose,
    is_fallback,
    views_in,
)
from integrations.procore.resources.decoding import Batch, decoder_of
from integrations.procore.resources.nested import within
from integrations.procore.resources.source import SourceRecord, kept_fields
from integrations.procore.resources.spec import Parent, Source

Window = tuple[datetime, datetime]
Parents = Mapping[Parent, Sequence[int]]  # whose lists are to be read
RESTARTS = 5  # of a list from which people kept deleting while it was read


@dataclass(frozen=True)
class Position:
    """How far a reading has come: lists read completely, and the next page of the one after.

    `rows`, after the last of several pages: how many rows came before it.
    """

    lists: int = 0
    number: int = 1
    before_last: int | None = None  # last id of the previous page
    rows: int | None = None


@dataclass
class Lent:
    """The view in which other projects' budgets are read.

    A view belongs to the company and most projects show the same one, so it is tried before a
    project is asked for its views.
    """

    view_id: int | None = None


@dataclass(frozen=True)
class Piece(Batch):
    """A page, and where a later reading continues once it is written."""

    then: Position = Position()


@dataclass(frozen=True)
class Ask:
    """One list request, with everything filled in; its parent if it is one of many."""

    source: Source
    path: str
    params: Mapping[str, str]
    parent_id: int | None = None


class Reader:
    """One part of a sync. After an interruption `pieces` continues at the page it had reached.

    Another reader continues there as well, given that `position` and the same parents.
    """

    def __init__(
        self,
        client: ProcoreClient,
        model: type[SourceRecord],
        *,
        company_id: int,
        project_id: int | None,
        window: Window | None = None,
        parents: Parents | None = None,
        via_id: int | None = None,
        choice: ViewChoice = NO_CHOICE,
        position: Position = Position(),
        lent: Lent | None = None,
    ) -> None:
        self.client = replace(client, calls=0)  # counts its own calls
        self.model, self.window, self.via_id = model, window, via_id
        self.choice = choice
        self.lent, self.borrows = lent or Lent(), False
        self.via_fallback: bool | None = None  # of a view that was chosen in this reading
        self.names = {"company_id": str(company_id), "project_id": str(project_id or "")}
        self.parents = parents or {}
        self.asks: deque[Ask] | None = None
        self.position, self.restarts, self.guard = position, 0, ListGuard()

    @property
    def requests(self) -> int:
        return self.client.calls

    def pieces(self) -> Iterator[Piece]:
        """Raises ProcoreError."""
        if self.asks is None:
            self.asks = deque(list(self._asks())[self.position.lists :])
        while self.asks:
            here = self.position
            if here.rows is not None:
                if self._drifted(self.asks[0]):
                    self.position, self.restarts = Position(here.lists), self.restarts + 1
                    self.guard = ListGuard()
                else:
                    self._end_list()
                continue
            page = self._first_page(self.asks[0]) if self.borrows else self._page(self.asks[0])
            if page is None:
                continue
            content = page.content
            if page.more:
                last = content.last_id
                self.position = replace(here, number=here.number + 1, before_last=last)
            elif here.number > 1:
                self.position = replace(here, rows=(here.number - 1) * page.per_page)
            else:
                self._end_list()
            guard = self.guard
            yield Piece(
                content.records, content.deleted, content.faults, content.last_id, self.position
            )
            # A page of records that hold none of the wanted ones still leads to the next.
            of_page = content.nameless or self.model.spec.nested
            guard.check(page, here.number, [*content.ids, *([here.number] if of_page else [])])

    def _end_list(self) -> None:
        assert self.asks is not None
        self.asks.popleft()
        self.position, self.restarts = Position(self.position.lists + 1), 0
        self.guard = ListGuard()

    def forget_view(self) -> None:
        """The next reading begins with a view that the project has now."""
        self.via_id, self.lent = None, Lent()
        self.asks, self.position = None, Position()

    def _first_page(self, ask: Ask) -> Page[Batch] | None:
        """In the lent view; None where it may not be the project's own, which is then looked up."""
        try:
            page = self._page(ask)
        except (Forbidden, NotFoundOrHidden):
            page = None
        self.borrows = False
        if page and (page.content.records or page.content.faults):
            self.via_fallback = False
            return page
        self.forget_view()
        self.asks = deque(self._asks())
        return None

    def total(self) -> int | None:
        """How many records there are, changed or not; None where Procore does not say."""
        counts = []
        for source in self.model.spec.sources:
            path, params = self._filled(source, window=None)
            counts.append(self.client.count(path, params))
        return None if None in counts else sum(count or 0 for count in counts)

    def _page(self, ask: Ask) -> Page[Batch]:
        decode = self._decoder(ask.source)
        try:
            if not ask.source.paged:
                return self.client.all_at_once(ask.path, ask.params, decode=decode)
            page = self.client.page(ask.path, ask.params, self.position.number, decode=decode)
            return self._below(ask, page)
        except NotFoundOrHidden:
            if ask.parent_id is None:
                raise
            # The parent was deleted after it was listed; its records are deleted with it.
            return Page(Batch([], []), None, 0, more=False)

    def _below(self, ask: Ask, page: Page[Batch]) -> Page[Batch]:
        """We know whose list was requested; a record that says otherwise would become an orphan."""
        if ask.parent_id is None or ask.source.parent is None:
            return page
        names = [field.name for field, _ in kept_fields(self.model)]
        column = names.index(ask.source.parent.column)
        return replace(page, content=page.content.with_value(column, ask.parent_id))

    def _drifted(self, ask: Ask) -> bool:
        """Whether rows were removed while we read, so that later ones moved to an earlier page.

        Then another row is at the end of the last page but one. The check costs one call for each
        list of several pages, and the list is read again only when needed.
        """
        before_last, place = self.position.before_last, self.position.rows
        if self.restarts >= RESTARTS or before_last is None or place is None:
            return False
        decode = self._decoder(ask.source)
        page = self.client.page(ask.path, ask.params, place, decode=decode, per_page=1)
        return page.content.last_id != before_last

    def _asks(self) -> Iterator[Ask]:
        for source in self.model.spec.sources:
            if source.parent is None:
                if source.via and not self._has_via(source):
                    continue  # a project without a budget view has no budget rows
                path, params = self._filled(source, window=self.window)
                yield Ask(source, path, params)
                continue
            for parent_id in self.parents.get(source.parent, ()):
                self.names["parent_id"] = str(parent_id)
                path, params = self._filled(source, window=None)
                yield Ask(source, path, params, parent_id)

    def _filled(self, source: Source, *, window: Window | None) -> tuple[str, dict[str, str]]:
        params = {key: value.format(**self.names) for key, value in source.params.items()}
        if source.deleted and window:
            params["filters[include_deleted]"] = "with"
        if window:
            params["filters[updated_at]"] = between(*window)
        return source.path.format(**self.names), params

    def _has_via(self, source: Source) -> bool:
        if self.via_id is None and self.lent.view_id and self.position == Position():
            self.via_id, self.borrows = self.lent.view_id, True
        if self.via_id is None:
            query = {"project_id": self.names["project_id"]}
            view = choose(views_in(self.client.rows(source.via, query)), self.choice)
            self.via_id = view.id if view else None
            self.via_fallback = is_fallback(view, self.choice)
            if view and not self.via_fallback:
                self.lent.view_id = view.id
        self.names["via"] = str(self.via_id)
        return self.via_id is not None

    def _decoder(self, source: Source) -> Callable[[bytes], Batch]:
        """Renames the columns of a budget view, which the view names, to those that we know."""
        decode = decoder_of(self.model, tuple(source.extra.items()))
        if source.rows:
            return within(decode, source.rows)
        return renaming(decode, self.choice.columns_of(self.via_id)) if source.via else decode
