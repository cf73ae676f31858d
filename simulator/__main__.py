"""Starts the simulator's three origins in one process and prints their addresses as JSON."""

import argparse
import asyncio
import contextlib
import json
import socket
import sys

import uvicorn
from starlette.types import ASGIApp

from simulator.frame.app import frame_app
from simulator.login import login_app
from simulator.rest.app import api_app
from simulator.seed import SIZES
from simulator.state import Origins, Simulator, build
from simulator.wild import PROFILE

DEFAULT_REDIRECT = "http://localhost:8000/oauth/callback/"


def main() -> int:
    arguments = _arguments()
    sockets = [
        _listen(port) for port in (arguments.login_port, arguments.api_port, arguments.frame_port)
    ]
    login, api, frame = (sock.getsockname()[1] for sock in sockets)
    simulator = build(
        origins=Origins(
            f"http://127.0.0.1:{login}",
            f"http://127.0.0.1:{api}",
            # A different site than the app's localhost, so that third-party cookie rules are real.
            f"http://procore.localhost:{frame}",
        ),
        redirect_uris=tuple(arguments.redirect_uri or [DEFAULT_REDIRECT]),
        size=arguments.size,
        seed=arguments.seed,
        bare=arguments.bare,
        client_id=arguments.client_id,
        client_secret=arguments.client_secret,
    )
    if arguments.wild is not None:
        simulator.wild.turn(PROFILE, arguments.wild)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(simulator, sockets))
    return 0


async def _serve(simulator: Simulator, sockets: list[socket.socket]) -> None:
    apps: list[ASGIApp] = [login_app(simulator), api_app(simulator), frame_app(simulator)]
    servers = [
        # Each origin sets the Date header by its own clock.
        uvicorn.Server(
            uvicorn.Config(
                app, log_level="warning", access_log=False, lifespan="off", date_header=False
            )
        )
        for app in apps
    ]
    running = [
        asyncio.create_task(server.serve(sockets=[sock]))
        for server, sock in zip(servers, sockets, strict=True)
    ]
    while not all(server.started for server in servers):
        if any(task.done() for task in running):
            break
        await asyncio.sleep(0.01)
    print(json.dumps(_announcement(simulator)), flush=True)
    await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    for server in servers:
        server.should_exit = True
    await asyncio.gather(*running)


def _announcement(simulator: Simulator) -> dict[str, object]:
    port = simulator.origins.frame.rpartition(":")[2]
    return {
        "login": simulator.origins.login,
        "api": simulator.origins.api,
        "frame": simulator.origins.frame,
        # By IP address: a process may not resolve names under localhost; browsers do.
        "control": f"http://127.0.0.1:{port}/control",
        "client_id": simulator.client_id,
        "client_secret": simulator.client_secret,
        "companies": [
            {"id": company.id, "name": company.name}
            for company in simulator.world.companies.values()
        ],
    }


def _listen(port: int) -> socket.socket:
    # Named TCP; otherwise asyncio leaves Nagle's algorithm on and each answer takes 40 ms.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(("127.0.0.1", port))
    except OSError as error:
        sys.exit(f"Port {port} cannot be used: {error.strerror}. Choose another one.")
    return sock


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="simulator", description=__doc__)
    parser.add_argument("--size", choices=sorted(SIZES), default="S")
    parser.add_argument("--seed", type=int, default=7)
    for name in ("login", "api", "frame"):
        parser.add_argument(f"--{name}-port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--redirect-uri", action="append", help="registered; may be repeated")
    parser.add_argument("--client-id", help="made up when absent")
    parser.add_argument("--client-secret", help="made up when absent")
    parser.add_argument(
        "--wild", type=int, nargs="?", const=1, metavar="SEED", help="all switches of wild.py on"
    )
    parser.add_argument("--bare", action="store_true", help="start with the app installed nowhere")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
