"""The web server: uvicorn, with a bound on everything that a stranger may ask it to hold.

python -m partner_app.core.web_server --port 8000
"""

import argparse
import resource
import sys
from typing import Any

import uvicorn
from django.core.exceptions import ImproperlyConfigured

# For each of two processes, whose interpreters are two cores' worth.
WORKERS = 2
THREADS = 8
SETTINGS: dict[str, Any] = {
    "app": "partner_app.asgi:application",
    "http": "partner_app.core.deadlines:DeadlineProtocol",
    "ws": "none",
    "loop": "uvloop",
    "lifespan": "on",
    # Sockets. One that only waits costs some KB, so slow senders have to be thousands.
    "limit_concurrency": 4000,
    "backlog": 1024,
    "timeout_keep_alive": 15,  # seconds without a request
    "timeout_graceful_shutdown": 6,  # seconds: a platform waits for ten
    "timeout_worker_healthcheck": 30,  # seconds: on a busy machine a process is slow, not dead
    # A process is replaced before what it may lose bit by bit becomes much, and not both at once.
    "limit_max_requests": 20_000,
    "limit_max_requests_jitter": 10_000,
    # Who asked, and how, is decided by the app: core.client_ip and SECURE_PROXY_SSL_HEADER.
    "proxy_headers": False,
    "server_header": False,
    "access_log": False,
    "log_config": None,  # the app's own
    "log_level": "error",  # a request that is no HTTP is no warning of ours
}
DESCRIPTORS = 16_384  # of files, where the system allows


def main() -> int:
    parser = argparse.ArgumentParser(prog="partner_app.core.web_server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--reload", action="store_true", help="restarts when Python changes")
    arguments = parser.parse_args()
    try:
        import partner_app.settings  # noqa: F401  # here, so that what is wrong is said once
    except ImproperlyConfigured as error:
        print(error, file=sys.stderr)  # noqa: T201  # nothing is there yet that could log it
        return 1
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(DESCRIPTORS, hard)), hard))
    uvicorn.run(
        host=arguments.host, port=arguments.port, **SETTINGS, **_processes(reload=arguments.reload)
    )
    return 0


def _processes(*, reload: bool) -> dict[str, Any]:
    if not reload:
        return {"workers": WORKERS}
    return {"reload": True, "reload_dirs": ["partner_app", "integrations"]}


if __name__ == "__main__":
    sys.exit(main())
