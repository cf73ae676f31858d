"""OpenTelemetry traces, to the collector that OTEL_EXPORTER_OTLP_ENDPOINT names.

A span carries an address without its query and without a secret in its path; for addresses other
than Procore's, only the host; and a statement without its values: no content, no secret.
"""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from opentelemetry.instrumentation.urllib3 import URLLib3Instrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span

from partner_app.core.logging import clean


def instrument(service: str) -> None:
    provider = TracerProvider(resource=Resource.create({"service.name": f"tieback-{service}"}))
    exporter = OTLPSpanExporter(endpoint=f"{settings.TRACES.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    DjangoInstrumentor().instrument(request_hook=_forget_query)
    CeleryInstrumentor().instrument()  # type: ignore[no-untyped-call]  # it carries no types
    PsycopgInstrumentor().instrument(skip_dep_check=True)
    URLLib3Instrumentor().instrument(url_filter=_without_secret)


def _forget_query(span: Span, request: HttpRequest) -> None:
    """The query of an address may be secret or content; so may the path of a set-up link."""
    for name in ("http.url", "http.target", "url.full", "url.path"):
        span.set_attribute(name, clean(request.path))
    span.set_attribute("url.query", "")


def _without_secret(url: str) -> str:
    """The path of a chat's incoming webhook is its secret; Procore's paths hold only ids."""
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    ours = origin in {settings.PROCORE.api_url, settings.PROCORE.login_url}
    return f"{origin}{parts.path}" if ours else origin
