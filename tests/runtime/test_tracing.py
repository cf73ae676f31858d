"""Traces go to the collector in the settings, and to none otherwise."""

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from tests.house.test_rules import ROOT

ASK = """
import django
django.setup()
from django.test import Client
from opentelemetry import trace
from integrations.notify.webhook import NotifyFailed, post
from partner_app.core import tracing
started = tracing.start("web")
Client().get("/embedded/?company_id=77&secret=do-not-tell", headers={"host": "localhost"})
Client().get("/accounts/set-up/do-not-tell-this-link/", headers={"host": "localhost"})
try:
    post("https://127.0.0.1:1/services/do-not-tell-this-chat", "text", local=True)
except NotifyFailed:
    pass
if started:
    trace.get_tracer_provider().shutdown()
print(started)
"""


def asked(**environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_spans_reach_the_collector_without_a_secret_of_an_address() -> None:
    bodies: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": address, "OTEL_EXPORTER_OTLP_COMPRESSION": "none"}
    assert asked(**environment) == "True"
    server.shutdown()
    server.server_close()
    whole = b"".join(bodies)
    assert b"tieback-web" in whole
    assert b"embedded/" in whole
    assert b"/accounts/set-up/[redacted]/" in whole
    assert b"https://127.0.0.1:1" in whole
    assert b"do-not-tell" not in whole


def test_without_the_setting_nothing_is_sent() -> None:
    assert asked(OTEL_EXPORTER_OTLP_ENDPOINT="") == "False"
