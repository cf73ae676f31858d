"""Projects: the app sees those that the company's administrator permitted."""

from typing import Final

from django.db import models

from integrations.procore.resources.source import SourceRecord, kept
from integrations.procore.resources.spec import Changes, ResourceSpec, Scope, Source
from partner_app.core.i18n import gettext_noop

# Requested explicitly: if left out, inactive projects would seem deleted.
EVERY_STATUS: Final = {"filters[by_status]": "All"}


class Project(SourceRecord):
    spec = ResourceSpec(
        name="projects",
        label=gettext_noop("Projects"),
        scope=Scope.COMPANY,
        sources=(Source("/rest/v1.1/projects", {"company_id": "{company_id}", **EVERY_STATUS}),),
        # A project that is no longer permitted shows only by its absence: read all of them.
        changes=Changes.CONTENT,
        webhooks=("Projects",),
    )

    name = kept(models.TextField(), purpose="names the project wherever it is shown")
    project_number = kept(models.TextField(), purpose="distinguishes projects with the same name")
    city = kept(models.TextField(), purpose="distinguishes projects with the same name")
    state_code = kept(models.TextField(), purpose="distinguishes projects with the same name")
    time_zone = kept(models.TextField(), purpose="counts days where the project is")
    start_date = kept(models.DateField(null=True), purpose="orders projects by progress")
    completion_date = kept(models.DateField(null=True), purpose="orders projects by progress")
    active = kept(
        models.BooleanField(null=True), purpose="marks projects that are inactive in Procore"
    )
