"""One running stand-in: its world, books and switches, shared by the three origins."""

import secrets
from dataclasses import dataclass, field

from simulator.clock import Clock, stamp
from simulator.faults import Faults
from simulator.ledger import Ledger, Violation
from simulator.rates import Rates
from simulator.seed import build_world
from simulator.tokens import Tokens
from simulator.webhooks import Webhooks
from simulator.world import World


@dataclass
class Origins:
    login: str
    api: str
    frame: str


@dataclass
class Simulator:
    origins: Origins
    redirect_uris: tuple[str, ...]
    world: World
    clock: Clock
    tokens: Tokens
    webhooks: Webhooks
    client_id: str
    client_secret: str
    ledger: Ledger = field(default_factory=Ledger)
    faults: Faults = field(default_factory=Faults)
    rates: Rates = field(default_factory=Rates)
    service_tools: set[str] = field(
        default_factory=lambda: {"rfis", "submittals", "change_events", "commitments", "budget"}
    )
    sessions: dict[str, int] = field(default_factory=dict)
    tickets: dict[str, int] = field(default_factory=dict)
    consents: set[int] = field(default_factory=set)

    def violation(self, kind: str, method: str, path: str, detail: str = "") -> None:
        self.ledger.violation(Violation(stamp(self.clock.now()), kind, method, path, detail))


def build(
    *,
    origins: Origins,
    redirect_uris: tuple[str, ...],
    size: str,
    seed: int,
    client_id: str | None = None,
    client_secret: str | None = None,
) -> Simulator:
    clock = Clock()
    world = build_world(clock, size=size, seed=seed)
    return Simulator(
        origins=origins,
        redirect_uris=redirect_uris,
        world=world,
        clock=clock,
        tokens=Tokens(clock),
        webhooks=Webhooks(clock),
        client_id=client_id or secrets.token_hex(32),
        client_secret=client_secret or secrets.token_hex(32),
    )
