"""What a description of a resource can say. Pure: knows neither Django nor HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Scope(StrEnum):
    COMPANY = "company"
    PROJECT = "project"


class Changes(StrEnum):
    """How a later sync finds what changed."""

    UPDATED_AT = "updated_at"  # the list filters by it
    CONTENT = "content"  # read everything, compare by content


@dataclass(frozen=True)
class Source:
    """One list operation. `path` and `params` take {company_id}, {project_id} and {via}.

    `via` names a list whose first entry's id is needed to ask (a budget view). `extra` is added to
    every record read here (the kind of a contract). `deleted` asks for deleted records as well.
    """

    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    via: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)
    deleted: bool = False


@dataclass(frozen=True)
class ResourceSpec:
    name: str
    scope: Scope
    sources: tuple[Source, ...]
    changes: Changes
    tool: str = ""  # the Procore tool that a viewer needs; empty: membership is enough
    webhooks: tuple[str, ...] = ()  # names in Procore's webhooks
    retention_days: int | None = None  # None: follows the source, gone when the company is
