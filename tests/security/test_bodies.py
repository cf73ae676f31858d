"""Outside work is limited before it is done: a body is judged by its length, unread."""

import io
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory
from django.urls import Resolver404, get_resolver, resolve

from integrations.procore.webhooks.models import WebhookHook
from partner_app.core.bodies import ORDINARY, BodyTooLarge, BoundedUpload
from partner_app.core.secrets import fingerprint
from partner_app.estimates.models import Estimate
from partner_app.estimates.services import LARGEST_FILE
from tests.door import ask
from tests.frame import Frame
from tests.trust.test_tenants import addresses

SAMPLES = {"int": "1", "uuid": str(uuid.uuid4()), "slug": "x", "str": "x"}
TAKE_FILES = {"estimate-upload", "estimate-file"}
PROBES = {"healthz", "readyz", "metrics"}
SECRET = "Bearer of-this-hook-alone"


class NeverRead:
    """A body that fails the test if it is read."""

    def read(self, *_: Any) -> bytes:
        raise AssertionError("the body was read")

    readline = read


def send(path: str, *, length: str | None, chunked: bool = False, **headers: str) -> int:
    """Sends a form whose body must not be read."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "wsgi.input": NeverRead(),
        **headers,
    }
    if length is not None:
        environ["CONTENT_LENGTH"] = length
    if chunked:
        environ["HTTP_TRANSFER_ENCODING"] = "chunked"
        environ["wsgi.input_terminated"] = True
    answer: Any = Client().request(**environ)
    return int(answer.status_code)


def everything() -> Iterator[tuple[str, str]]:
    """Every address with one of our views, and the view's name."""
    for pattern in addresses(get_resolver().url_patterns):
        path = re.sub(r"<(?:(\w+):)?\w+>", lambda m: SAMPLES[m[1] or "str"], pattern)
        try:
            match = resolve(path)
        except Resolver404:
            continue  # a library's regular expression
        yield path, match.url_name or ""


def test_no_address_reads_a_body_that_is_too_large_or_has_no_length(database: None) -> None:
    tried = set()
    for path, name in everything():
        if name in PROBES:
            send(path, length=str(10**9))  # answered at once, and not read either
            continue
        largest = ORDINARY if name not in TAKE_FILES else LARGEST_FILE + ORDINARY
        for length in (str(largest + 1), "9" * 5000):
            assert send(path, length=length) == 413, path
        for length in ("-1", "1e3", "٣", "many"):
            assert send(path, length=length) == 411, path
        assert send(path, length=None, chunked=True) == 411, path
        tried.add(name)
    assert len(tried) > 60
    assert tried >= TAKE_FILES


def test_a_stranger_may_not_send_a_file_even_of_a_permitted_size(database: None) -> None:
    """The bearer is checked before the body."""
    for path, name in everything():
        if name in TAKE_FILES:
            assert send(path, length=str(LARGEST_FILE)) == 401


@pytest.mark.parametrize("length", ["100", str(10**9), None])
def test_a_webhook_looks_at_key_and_secret_before_the_body(synced: int, length: str | None) -> None:
    hook = WebhookHook.objects.create(company_id=synced, secret_hash=fingerprint(SECRET))
    size = {"Transfer-Encoding": "chunked"} if length is None else {"Content-Length": length}

    def status(key: uuid.UUID, secret: str) -> int:
        answer = ask(f"/webhooks/procore/{key}/", headers={"Authorization": secret, **size})
        assert not answer.read
        return answer.status

    assert status(uuid.uuid4(), SECRET) == 404
    assert status(hook.key, "") == 401
    assert status(hook.key, "Bearer guess") == 401
    if length != "100":
        assert status(hook.key, SECRET) == (411 if length is None else 413)


def test_an_upload_ends_at_the_limit_whatever_its_length_says() -> None:
    request = RequestFactory().post("/embedded/session/")
    request.resolver_match = resolve("/embedded/session/")
    handler = BoundedUpload(request)
    assert handler.receive_data_chunk(b"x" * ORDINARY, 0)
    with pytest.raises(BodyTooLarge):
        handler.receive_data_chunk(b"x", ORDINARY)
    request.resolver_match = resolve("/embedded/projects/1/estimates/upload/")
    assert handler.receive_data_chunk(b"x", ORDINARY + 1)


def test_a_form_carries_one_file(admin: Frame) -> None:
    """Two would take twice the space."""
    project = admin.procore.projects()[0]
    path = f"/embedded/projects/{project}/estimates/upload/"
    both = [SimpleUploadedFile(f"{n}.csv", b"Item,Description,Amount\n1,A,1\n") for n in "ab"]
    assert admin.post(path, file=both).status_code == 400
    assert not Estimate.objects.exists()


def test_a_file_and_a_form_of_an_ordinary_size_are_taken(admin: Frame) -> None:
    project = admin.procore.projects()[0]
    rows = "".join(f"{n},Concrete {n},m3,{n}\n" for n in range(1, 5000))
    file = io.BytesIO(b"Item,Description,Unit,Amount\n" + rows.encode())
    file.name = "estimate.csv"
    answer = admin.post(f"/embedded/projects/{project}/estimates/upload/", file=file)
    assert answer.status_code == 200
    assert admin.post("/embedded/help/ask/", text="é" * 5000, page="/").status_code == 200
