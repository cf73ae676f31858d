"""The parts of a resource's description. Pure: knows neither Django nor HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from integrations.procore.resources.tools import Tool


class Scope(StrEnum):
    COMPANY = "company"
    PROJECT = "project"


class Changes(StrEnum):
    """How a later sync finds changes."""

    UPDATED_AT = "updated_at"  # the list filters by it
    CONTENT = "content"  # read everything, compare by content
    PARENT = "parent"  # one list per parent: read those of parents that changed


class Privacy(StrEnum):
    """Whether a record may be private in Procore, and whether its list says so."""

    NONE = "none"  # the tool has no private records
    SAID = "said"  # the column `private` holds it; null is unknown
    UNSAID = "unsaid"  # it may be private but the list does not say: no record is known to be open


@dataclass(frozen=True)
class Holder:
    """The record that another belongs to: people who may not see it do not see the other either."""

    resource: str
    column: str


@dataclass(frozen=True)
class Parent:
    """Parents whose lists are read one by one: resource, required kept values, and our column."""

    resource: str
    column: str
    where: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Source:
    """One list operation. `path`, `params` take {company_id}, {project_id}, {via}, {parent_id}.

    `via` names a list whose first entry's id the call needs (a budget view). `extra` is added to
    every record read here (the kind of a contract). `deleted` asks for deleted records as well.
    `paged` False: the operation returns all records at once. `rows` names a list within each listed
    record: its entries are the records, each with the id and the stamps of the one that holds it.
    `show` gives one record by its id, or the one that holds it; beside the names above it takes
    {remote_id} and kept columns of the record. `bin` lists what was deleted. `derived` is the
    column that is filled where a row follows from other records and none has its id; such a row is
    deleted when another has the same value in the column `derived_from`.
    """

    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    via: str = ""
    parent: Parent | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    deleted: bool = False
    paged: bool = True
    rows: str = ""
    show: str = ""
    bin: str = ""
    derived: str = ""
    derived_from: str = ""


@dataclass(frozen=True)
class ResourceSpec:
    name: str
    label: str  # what people call its records; shown translated
    scope: Scope
    sources: tuple[Source, ...]
    changes: Changes
    hangs_on: str = ""  # a resource: a project with no records of it has none of this either
    tool: Tool | None = None  # that a viewer needs; None: membership is enough
    privacy: Privacy = Privacy.NONE
    draft: str = ""  # the column that says "draft"; empty where there are no drafts
    held_by: Holder | None = None
    webhooks: tuple[str, ...] = ()  # names in Procore's webhooks
    web: str = (
        ""  # the record's page in Procore: {project_id}, {remote_id} (unconfirmed but for RFIs)
    )
    retention_days: int | None = None  # None: kept as long as the source, deleted with the company

    @property
    def nested(self) -> bool:
        """Its records are listed within others."""
        return any(source.rows for source in self.sources)

    @property
    def hides_deleted(self) -> bool:
        """Incremental reads do not show deletions: the number of records must reveal them."""
        shown = all(source.deleted for source in self.sources)
        return self.changes is Changes.UPDATED_AT and not shown
