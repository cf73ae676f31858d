"""The web server: uvicorn, with limits on everything that a client may make it hold.

python -m partner_app.core.web_server --port 8000
"""

import argparse
import resource
import sys
from typing import Any

import uvicorn
from django.core.exceptions import ImproperlyConfigured

# For each of two processes, whose interpreters use two cores.
WORKERS = 2
THREADS = 8
SETTINGS: dict[str, Any] = {
    "app": "partner_app.asgi:application",
    "http": "partner_app.core.deadlines:DeadlineProtocol",
    "ws": "none",
    "loop": "uvloop",
    "lifespan": "on",
    # Sockets. A waiting one costs some KB, so it takes thousands of slow senders to fill them.
    "limit_concurrency": 4000,
    "backlog": 1024,
    "timeout_keep_alive": 15,  # seconds without a request
    "timeout_graceful_shutdown": 6,  # seconds: a platform waits for ten
    "timeout_worker_healthcheck": 30,  # seconds: on a busy machine a process is slow, not dead
    # A process is replaced before slow leaks add up, and never both processes at the same time.
    "limit_max_requests": 20_000,
    "limit_max_requests_jitter": 10_000,
    # The app determines client and scheme: core.client_ip and SECURE_PROXY_SSL_HEADER.
    "proxy_headers": False,
    "server_header": False,
    "access_log": False,
    "log_config": None,  # the app's own
    "log_level": "error",  # a malformed HTTP request is not a warning of ours
}
DESCRIPTORS = 16_384  # open files, where the system allows as many


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
