"""Typed settings from the environment. No other module reads the environment."""

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from partner_app.core.confines import Limits
from partner_app.core.environments import MixedEnvironments, environment_of, web_origin
from partner_app.core.frames import ancestor
from partner_app.core.version import VERSION

ROOT = Path(__file__).resolve().parent.parent

# Every variable that is read, in the order of docs/operations/settings.md.
VARIABLES = (
    "BASE_URL",
    "SECRET_KEY",
    "FIELD_ENCRYPTION_KEYS",
    "DATABASE_OWNER_URL",
    "DATABASE_URL",
    "CELERY_BROKER_URL",
    "PROCORE_LOGIN_URL",
    "PROCORE_API_URL",
    "PROCORE_CLIENT_ID",
    "PROCORE_CLIENT_SECRET",
    "PROCORE_ALLOWED_COMPANIES",
    "PROCORE_FRAME_ANCESTORS",
    "PROCORE_CALLS_PER_MINUTE",
    "PROCORE_CALLS_PER_HOUR",
    "DISCOVER_EVERY_SECONDS",
    "PROCORE_SUSPECT_SHARE",
    "PROCORE_SUSPECT_FLOOR",
    "PROCORE_CLOSE_AT_MOST",
    "WEBHOOKS_ENABLED",
    "EMAIL_URL",
    "EMAIL_FROM",
    "SUPPORT_EMAIL",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "DATABASE_BACKUP_URL",
    "DATABASE_REPLICA_URL",
    "METRICS_TOKEN",
    "DEVELOPMENT",
)


CONNECT_TIMEOUT = 5  # seconds, for Postgres


@dataclass(frozen=True)
class Procore:
    """Procore's addresses and our credentials there; `web_url` is where records open by default."""

    environment: str
    login_url: str
    api_url: str
    web_url: str
    client_id: str
    client_secret: str
    redirect_uri: str
    allowed_companies: frozenset[int]
    calls_per_minute: int  # planned for each company; 0: as the headers allow
    calls_per_hour: int
    user_agent: str = f"Tieback/{VERSION}"

    @property
    def plans_calls(self) -> bool:
        """Whether calls are spent by plan, rather than as fast as Procore's headers allow."""
        return bool(self.calls_per_minute or self.calls_per_hour)


@dataclass(frozen=True)
class Doubt:
    """How much may be missing before Procore is asked for a proof.

    A list is in doubt when more than `floor` records and more than `share` percent of them are
    gone. `close_at_most`: the number of companies that one pass may accept as having left.
    """

    share: int
    floor: int
    close_at_most: int


def _text(name: str, meaning: str) -> str:
    value = os.environ.get(name, "").strip()
    if not value:
        raise ImproperlyConfigured(f"{name} is missing: it should be {meaning}.")
    return value


def _secret(name: str, shortest: int, *, needed: bool = True) -> str:
    meaning = f"a random text of at least {shortest} characters"
    value = _text(name, meaning) if needed else os.environ.get(name, "").strip()
    if (needed or value) and len(value) < shortest:
        raise ImproperlyConfigured(f"{name} is malformed: it should be {meaning}.")
    return value


def _origin(name: str, meaning: str) -> str:
    value = _text(name, meaning).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path:
        raise ImproperlyConfigured(
            f"{name} is malformed: it should be {meaning}, like https://example.com."
        )
    return value


def _ancestors(name: str) -> tuple[str, ...]:
    given = _text(name, "the origins that may frame us, separated by spaces")
    try:
        return tuple(ancestor(one) for one in given.replace(",", " ").split() or [""])
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} is malformed: it should be origins separated by spaces, each like "
            "https://app.procore.com, or https://*.procore.com for all below it."
        ) from None


def _procore() -> Procore:
    login = _origin("PROCORE_LOGIN_URL", "Procore's login origin")
    api = _origin("PROCORE_API_URL", "Procore's API origin")
    try:
        environment = environment_of(login, api)
        web_url = web_origin(environment, FRAME_ANCESTORS)
    except MixedEnvironments as error:
        raise ImproperlyConfigured(
            f"{error.variable} is malformed: it should be {error.meaning}."
        ) from None
    return Procore(
        environment=environment.name,
        login_url=login,
        api_url=api,
        web_url=web_url,
        client_id=_text("PROCORE_CLIENT_ID", "the app's client id at Procore"),
        client_secret=_text("PROCORE_CLIENT_SECRET", "the app's client secret at Procore"),
        redirect_uri=f"{BASE_URL}/oauth/callback/",
        allowed_companies=_ids("PROCORE_ALLOWED_COMPANIES"),
        # Limits seen on the live API in September 2026; lower ones in headers have priority.
        calls_per_minute=_number("PROCORE_CALLS_PER_MINUTE", "calls in a minute", default=25),
        calls_per_hour=_number("PROCORE_CALLS_PER_HOUR", "calls in an hour", default=600),
    )


def _keys(name: str) -> tuple[str, ...]:
    keys = tuple(key.strip() for key in _text(name, "comma-separated Fernet keys").split(","))
    for key in keys:
        try:
            Fernet(key)
        except ValueError:
            raise ImproperlyConfigured(
                f"{name} is malformed: each key should be 32 bytes in URL-safe base64."
            ) from None
    return keys


def _ids(name: str) -> frozenset[int]:
    raw = os.environ.get(name, "")
    try:
        return frozenset(int(part) for part in raw.split(",") if part.strip())
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} is malformed: it should be empty, or company ids separated by commas."
        ) from None


def _number(
    name: str, meaning: str, *, default: int, least: int = 0, most: int = 999_999_999
) -> int:
    raw = os.environ.get(name, "").strip() or str(default)
    if not (raw.isascii() and raw.isdigit() and least <= int(raw) <= most):
        raise ImproperlyConfigured(
            f"{name} is malformed: it should be {meaning}, a whole number from {least} to {most}."
        )
    return int(raw)


def _switch(name: str, *, default: bool) -> bool:
    value = os.environ.get(name, "1" if default else "0")
    if value not in {"0", "1"}:
        raise ImproperlyConfigured(f"{name} is malformed: it should be 0 or 1.")
    return value == "1"


def _mail(name: str) -> dict[str, Any] | None:
    """None where mail is not configured."""
    value = os.environ.get(name, "").strip()
    if not value:
        return None
    parts = urlsplit(value)
    if parts.scheme not in {"smtp", "smtp+tls", "smtps"} or not parts.hostname:
        raise ImproperlyConfigured(
            f"{name} is malformed: it should be empty, or smtp, smtp+tls or smtps"
            "://user:password@host:port."
        )
    return {
        "host": parts.hostname,
        "port": parts.port or (465 if parts.scheme == "smtps" else 587),
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "tls": parts.scheme == "smtp+tls",
        "ssl": parts.scheme == "smtps",
    }


def _database(name: str, meaning: str) -> dict[str, Any]:
    try:
        parts = conninfo_to_dict(_text(name, meaning))
    except ProgrammingError:
        raise ImproperlyConfigured(
            f"{name} is malformed: it should be postgresql://user:password@host:port/database."
        ) from None
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname", ""),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": str(parts.pop("port", "")),
        "OPTIONS": {"connect_timeout": CONNECT_TIMEOUT, **parts},
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        # Safe behind a pooler that gives each transaction another server connection.
        "DISABLE_SERVER_SIDE_CURSORS": True,
    }


def _access(name: str, fallback: str) -> dict[str, str]:
    """In the form that libpq's programs read from the environment; empty where neither is given."""
    given = name if os.environ.get(name, "").strip() else fallback
    if not os.environ.get(given, "").strip():
        return {}
    database = _database(given, "a role that may bypass row-level security")
    names = {"NAME": "DATABASE", "USER": "USER", "PASSWORD": "PASSWORD", "HOST": "HOST"}
    found = {f"PG{libpq}": database[ours] for ours, libpq in {**names, "PORT": "PORT"}.items()}
    return {key: value for key, value in found.items() if value}


BASE_URL = _origin("BASE_URL", "the app's public origin")
HTTPS = BASE_URL.startswith("https://")
# Where only this machine has access: pages for developers, and no encryption.
ON_LOCALHOST = not HTTPS and urlsplit(BASE_URL).hostname in {"localhost", "127.0.0.1"}
if not HTTPS and not ON_LOCALHOST:
    raise ImproperlyConfigured(
        "BASE_URL is malformed: it should begin with https:// on any host but localhost."
    )
SECRET_KEY = _secret("SECRET_KEY", 50)
FIELD_ENCRYPTION_KEYS = _keys("FIELD_ENCRYPTION_KEYS")
FRAME_ANCESTORS = _ancestors("PROCORE_FRAME_ANCESTORS")
PROCORE = _procore()
# Each check is a call, and an install is also found when a person opens its page.
DISCOVER_EVERY = timedelta(
    seconds=_number("DISCOVER_EVERY_SECONDS", "seconds", default=3600, least=5)
)
DOUBT = Doubt(
    share=_number("PROCORE_SUSPECT_SHARE", "a percentage", default=20, least=0, most=100),
    floor=_number("PROCORE_SUSPECT_FLOOR", "records", default=5, least=0, most=1_000_000),
    close_at_most=_number("PROCORE_CLOSE_AT_MOST", "companies", default=3, least=1, most=1_000_000),
)
WEBHOOKS_ENABLED = _switch("WEBHOOKS_ENABLED", default=True)
MAIL = _mail("EMAIL_URL")
if MAIL:
    EMAIL_HOST, EMAIL_PORT = MAIL["host"], MAIL["port"]
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL["user"], MAIL["password"]
    EMAIL_USE_TLS, EMAIL_USE_SSL = MAIL["tls"], MAIL["ssl"]
    EMAIL_TIMEOUT = 20  # seconds
    DEFAULT_FROM_EMAIL = _text("EMAIL_FROM", "the address that mail comes from")
SUPPORT_EMAIL = os.environ.get("SUPPORT_EMAIL", "").strip()
TRACES = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").strip()  # where traces go, if anywhere
METRICS_TOKEN = _secret("METRICS_TOKEN", 20, needed=False)
# Files are read as they change. Error pages stay those of production.
DEVELOPMENT = _switch("DEVELOPMENT", default=False)
if DEVELOPMENT and not ON_LOCALHOST:
    raise ImproperlyConfigured("DEVELOPMENT is malformed: it should be 0 except on localhost.")

DEBUG = False
# Platforms probe with any Host header: core.probe_fast_path answers before this check.
ALLOWED_HOSTS = [urlsplit(BASE_URL).hostname or ""]
if ON_LOCALHOST:
    ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "partner_app.urls"
WSGI_APPLICATION = "partner_app.wsgi.application"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_htmx",
    "partner_app",
    "partner_app.audit",
    "partner_app.tenancy",
    "partner_app.connections",
    "partner_app.accounts",
    "integrations.procore",
    "partner_app.embedded",
    "partner_app.estimates",
    "partner_app.handoffs",
    "partner_app.insights",
    "partner_app.dashboard",
    "partner_app.help",
]
MIDDLEWARE = [
    "partner_app.core.security_headers.SecurityHeaders",  # outermost: static files have them too
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "partner_app.core.logging.RequestLog",
    "partner_app.core.probe_fast_path.ProbeFastPath",
    "partner_app.core.bodies.BodyLimit",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "partner_app.core.language.WorkspaceLanguage",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "partner_app.accounts.lifetime.SessionLifetime",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "partner_app.core.limits.AddressLimit",
    "partner_app.core.http.DomainErrors",
]
TEMPLATE_LOADERS = [
    "django.template.loaders.filesystem.Loader",
    "django.template.loaders.app_directories.Loader",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "OPTIONS": {
            "loaders": TEMPLATE_LOADERS
            if DEVELOPMENT
            else [("django.template.loaders.cached.Loader", TEMPLATE_LOADERS)],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["partner_app.core.templatetags.show"],
        },
    }
]

DATABASES = {"default": _database("DATABASE_URL", "the role that the app runs as")}
# Only for `migrate` and `provision_database`: no other process should know it.
if os.environ.get("DATABASE_OWNER_URL", "").strip():
    DATABASES["owner"] = _database("DATABASE_OWNER_URL", "the role that owns the schema")
# A streaming replica, used only by operational pages: core/replica.py.
if os.environ.get("DATABASE_REPLICA_URL", "").strip():
    DATABASES["replica"] = _database("DATABASE_REPLICA_URL", "the app's role on a replica")
DATABASE_ROUTERS = ["partner_app.core.replica.Router"]
BACKUP_ACCESS = _access("DATABASE_BACKUP_URL", "DATABASE_OWNER_URL")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Seconds. Nothing in Redis is worth a longer wait for a person.
REDIS_WAITS = {"socket_timeout": 1.0, "socket_connect_timeout": 0.5}
CACHES = {
    "default": {
        "BACKEND": "partner_app.core.cache.SharedClientCache",
        "LOCATION": _text("CELERY_BROKER_URL", "the address of Redis"),
        "KEY_PREFIX": "tieback",
        "OPTIONS": REDIS_WAITS,
    }
}

CELERY_BROKER_URL = _text("CELERY_BROKER_URL", "the address of Redis")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# A process that has grown is replaced between two tasks, whatever made it grow.
CELERY_WORKER_MAX_TASKS_PER_CHILD = 20_000
# In kilobytes. A full sync of 200,000 records takes 165 MB.
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# One pool of workers may serve all queues, or each its own: docs/operations/scaling.md.
QUEUES = ("sync", "handoffs", "files", "figures", "upkeep")
CELERY_TASK_DEFAULT_QUEUE = "upkeep"
CELERY_TASK_ROUTES = {
    "integrations.procore.sync.tasks.sync_company": {"queue": "sync"},
    "partner_app.handoffs.tasks.carry_out_handoff": {"queue": "handoffs"},
    "partner_app.estimates.tasks.read_file": {"queue": "files"},
    "partner_app.insights.tasks.*": {"queue": "figures"},
}
FILE_LIMITS = Limits()  # of the process that reads an estimate's file
CELERY_BEAT_SCHEDULER = "partner_app.core.steps.SteadyScheduler"
CELERY_BEAT_SCHEDULE = {
    "wake": {"task": "integrations.procore.sync.tasks.wake", "schedule": timedelta(seconds=2)},
    "handoffs": {
        "task": "partner_app.handoffs.tasks.wake_handoffs",
        "schedule": timedelta(seconds=2),
    },
    "files": {
        "task": "partner_app.estimates.tasks.wake_files",
        "schedule": timedelta(seconds=2),
    },
    "figures": {
        "task": "partner_app.insights.tasks.compute_figures",
        "schedule": timedelta(seconds=2),
    },
    "digests": {
        "task": "partner_app.insights.tasks.send_digests",
        "schedule": timedelta(minutes=5),
    },
    "hooks": {
        "task": "integrations.procore.webhooks.tasks.check_hooks",
        "schedule": timedelta(seconds=15),
    },
    "discover": {
        "task": "integrations.procore.sync.tasks.discover",
        "schedule": DISCOVER_EVERY,
    },
    "tenants": {
        "task": "partner_app.dashboard.tasks.look_after_tenants",
        "schedule": timedelta(seconds=10),
    },
    "usage": {
        "task": "partner_app.connections.tasks.collect_usage",
        "schedule": timedelta(seconds=20),
    },
    "housekeeping": {
        "task": "integrations.procore.sync.tasks.housekeeping",
        "schedule": timedelta(minutes=10),
    },
}

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("fr", "Français")]  # by the browser's languages
LOCALE_PATHS = [ROOT / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = ROOT / ".data" / "static"
STATICFILES_DIRS = [
    ROOT / "static",
    ("vendor", ROOT / ".data" / "vendor"),
    ("help", ROOT / "docs" / "images"),
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEVELOPMENT
        else "partner_app.core.storage.StaticFiles"
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEVELOPMENT

# A browser accepts a cookie of this name only from this host, over TLS, for all its paths.
COOKIE_PREFIX = "__Host-" if HTTPS else ""
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}sessionid", f"{COOKIE_PREFIX}csrftoken"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # no extra cookie
SESSION_COOKIE_AGE = 8 * 3600  # accounts.lifetime ends a session earlier, after inactivity
SECURE_SSL_REDIRECT = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
# W002: core.security_headers controls framing. W021: preloading is each partner's decision.
SILENCED_SYSTEM_CHECKS = ["security.W002", "security.W021"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024  # bytes besides files; as core.bodies.ORDINARY
DATA_UPLOAD_MAX_NUMBER_FILES = 1
FILE_UPLOAD_HANDLERS = [
    "partner_app.core.bodies.BoundedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
# Set by core.security_headers: the sign-in pop-up must keep its opener.
SECURE_CROSS_ORIGIN_OPENER_POLICY = None
CSRF_TRUSTED_ORIGINS = [BASE_URL]

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
ACCOUNT_ADAPTER = "partner_app.accounts.adapter.PartnerAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
# By address. The limits for one name are in accounts.adapter.
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "10/m/ip"}
MFA_ADAPTER = "partner_app.core.factors.SealedFactors"
MFA_TOTP_ISSUER = "Tieback"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS  # a browser allows it only on localhost
USERSESSIONS_TRACK_ACTIVITY = True
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
] + [{"NAME": "partner_app.accounts.passwords.NoWordsOfThisPlace"}]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/dashboard/"

LOGGING_CONFIG = "partner_app.core.logging.configure"
LOGGING = {"version": 1}  # not empty, or Django would not call the function above
