"""One running simulator: its world, records of calls and switches, shared by the three origins."""

import secrets
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from simulator.clock import Clock, stamp
from simulator.faults import Faults
from simulator.hiding import Hiding, regions_apart
from simulator.ledger import Ledger, Violation
from simulator.rates import ON_ITS_WAY, Rates
from simulator.seed import build_world
from simulator.tokens import Tokens
from simulator.webhooks import Mischief, Webhooks
from simulator.wild import Wild
from simulator.world import World

Key = TypeVar("Key", bound=tuple[object, ...])


@dataclass
class Origins:
    login: str
    api: str
    frame: str


@dataclass
class Simulator:
    origins: Origins
    redirect_uris: tuple[str, ...]
    size: str
    seed: int
    bare: bool
    world: World
    clock: Clock
    tokens: Tokens
    webhooks: Webhooks
    client_id: str
    client_secret: str
    ledger: Ledger = field(default_factory=Ledger)
    faults: Faults = field(default_factory=Faults)
    hiding: Hiding = field(default_factory=Hiding)
    rates: Rates = field(default_factory=Rates)
    wild: Wild = field(default_factory=Wild)
    sessions: dict[str, int] = field(default_factory=dict)
    tickets: dict[str, int] = field(default_factory=dict)
    told_disconnected: dict[tuple[str, int], float] = field(default_factory=dict)
    told_hidden: dict[tuple[int, int], float] = field(default_factory=dict)
    login_opener_policy: str = ""
    consents: set[int] = field(default_factory=set)

    def install(
        self, company_id: int, permitted_projects: set[int], *, service_account: bool = True
    ) -> None:
        """Also forgets which callers were denied at the company: those answers no longer hold."""
        self.world.install(company_id, permitted_projects, service_account=service_account)
        for key in [key for key in self.told_disconnected if key[1] == company_id]:
            del self.told_disconnected[key]
        for hidden in [key for key in self.told_hidden if key[0] == company_id]:
            del self.told_hidden[hidden]

    def told(self, books: dict[Key, float], key: Key) -> bool:
        """Whether the caller knows: the first answer was given more than a moment ago."""
        now = time.monotonic()
        return now - books.setdefault(key, now) > ON_ITS_WAY

    def reset(self) -> None:
        """Restores the initial world: the same records under the same ids, nobody signed in."""
        self.clock.skew = timedelta()
        self.world = build_world(self.clock, size=self.size, seed=self.seed)
        self.tokens = Tokens(self.clock)
        self.webhooks.hooks.clear()
        self.webhooks.mischief = Mischief()
        self.rates = Rates()
        self.wild, self.hiding = Wild(), Hiding()
        self.login_opener_policy = ""
        self.forget()
        for held in (self.sessions, self.tickets, self.world.installations):
            held.clear()
        if not self.bare:
            self.install_first_two()

    def forget(self) -> None:
        """Clears the ledger, the waiting faults, the consents, and the record of denied callers."""
        self.ledger.clear()
        self.faults.waiting.clear()
        for told in (self.consents, self.told_disconnected, self.told_hidden):
            told.clear()

    def install_first_two(self) -> None:
        """The main company permits all its projects, the neighbour one; the third has no app."""
        main_company, neighbour, *_ = self.world.companies.values()
        self.install(main_company.id, set(main_company.projects))
        self.install(neighbour.id, set(list(neighbour.projects)[:1]))

    def region(self, company_id: int) -> int:
        """The Procore region of the company; one for all while the switch is off."""
        first = next(iter(self.world.companies))
        return company_id if self.wild.on(regions_apart) else first

    def violation(self, kind: str, method: str, path: str, detail: str = "") -> None:
        self.ledger.violation(Violation(stamp(self.clock.now()), kind, method, path, detail))


def build(
    *,
    origins: Origins,
    redirect_uris: tuple[str, ...],
    size: str,
    seed: int,
    bare: bool,
    client_id: str | None = None,
    client_secret: str | None = None,
) -> Simulator:
    clock = Clock()
    simulator = Simulator(
        origins=origins,
        redirect_uris=redirect_uris,
        size=size,
        seed=seed,
        bare=bare,
        world=build_world(clock, size=size, seed=seed),
        clock=clock,
        tokens=Tokens(clock),
        webhooks=Webhooks(clock),
        client_id=client_id or secrets.token_hex(32),
        client_secret=client_secret or secrets.token_hex(32),
    )
    if not bare:
        simulator.install_first_two()
    return simulator
