"""Help pages, questions to support, and the bundle: readable, complete, and without content."""

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from integrations.procore.resources.projects import Project
from partner_app.accounts.models import Role
from partner_app.help.diagnostics import write_bundle
from partner_app.help.models import SupportRequest
from partner_app.help.pages import SLUGS
from partner_app.tenancy.context import tenant
from tests.dashboard.people import admin_of
from tests.frame import Frame, text_of


@pytest.mark.parametrize("slug", SLUGS)
def test_each_page_opens_with_all_its_pictures_and_links(database: None, slug: str) -> None:
    page = Client().get(f"/help/{slug}/")
    assert page.status_code == 200
    for name in re.findall(r'src="/static/(help/[^"]+)"', page.text):
        plain = re.sub(r"\.[0-9a-f]{12}\.png$", ".png", name)
        assert finders.find(plain), name
    for address in re.findall(r'href="(/help/[a-z-]+/)"', page.text):
        assert Client().get(address).status_code == 200, address
    assert ".md" not in page.text
    assert 'src="../' not in page.text


def test_the_contents_name_every_page_and_an_unknown_one_is_not_there(database: None) -> None:
    assert Client().get("/help/").text.count('href="/help/') >= len(SLUGS)
    assert Client().get("/help/unknown/").status_code == 404


def test_a_question_reaches_support_with_diagnostics_by_consent_alone(
    admin: Frame, settings: Any, mailoutbox: Any
) -> None:
    settings.MAIL, settings.SUPPORT_EMAIL = {"host": "here"}, "support@partner.example"
    assert "Ask support" in text_of(admin.get("/embedded/help/"))
    refused = admin.post("/embedded/help/ask/", text="")
    assert refused.status_code == 422
    assert "Tell us what you did" in text_of(refused)
    admin.post("/embedded/help/ask/", text="The budget is old")
    admin.post("/embedded/help/ask/", text="It is older still", consent="on")
    without, attached = SupportRequest.objects.order_by("asked_at")
    assert without.diagnostics == {}
    assert attached.diagnostics["company"]["id"] == admin.company_id
    assert len(mailoutbox) == 2
    assert attached.address
    assert mailoutbox[0].reply_to == [attached.address]
    listed = admin_of(Role.SUPPORT).get("/dashboard/support/")
    assert "It is older still" in text_of(listed)
    assert attached.address in text_of(listed)
    browser = admin_of(Role.OPERATOR)
    browser.post(f"/dashboard/support/{without.id}/answered/")
    without.refresh_from_db()
    assert without.answered_by == "user-operator"


def test_the_bundle_holds_states_and_counts_but_no_record_no_name_and_no_token(
    admin: Frame, tmp_path: Path
) -> None:
    path = tmp_path / "bundle.zip"
    answer = write_bundle(admin.company_id, path)
    assert answer["parts"] == ["audit.json", "diagnostics.json", "doctor.json"]
    with zipfile.ZipFile(path) as archive:
        whole = b"".join(archive.read(name) for name in archive.namelist()).decode()
        found = json.loads(archive.read("diagnostics.json"))
    assert found["runs"][0]["state"] == "done"
    assert found["status"][0]["resources"]["rfis"]["records"] > 0
    with tenant(admin.company_id):
        names = list(Project.objects.values_list("name", flat=True))
    assert names
    for secret in (*names, admin.bearer, "Halden", "gAAAA"):
        assert secret not in whole, secret
