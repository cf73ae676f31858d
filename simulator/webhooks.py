"""Webhooks v2.0: hooks, triggers, deliveries with backoff, and misbehaviour on demand."""

import asyncio
import os
import random
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from simulator.clock import Clock, stamp

ANSWER_LIMIT = 5.0  # seconds a receiver has to answer
FIRST_RETRY = 1.0  # seconds; doubles
LONGEST_RETRY = 3600.0
DISCARD_AFTER = 12 * 3600.0
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

RESOURCES = (
    "Projects", "Company Users", "Company Vendors", "RFIs", "Submittals", "Change Events",
    "Work Order Contracts", "Purchase Order Contracts", "Budget Line Items", "WBS Codes",
    "Commitment Change Orders", "Change Order Packages", "Potential Change Orders",
    "Direct Costs", "Requisitions", "Observation Items", "Punch Items",
)  # fmt: skip


@dataclass
class Hook:
    id: int
    company_id: int
    project_id: int | None
    namespace: str
    payload_version: str
    destination_url: str
    authorization: str | None
    created_at: str
    status: str = "active"
    triggers: dict[int, tuple[str, str]] = field(default_factory=dict)
    queue: "list[Delivery]" = field(default_factory=list)
    deliveries: "list[Delivery]" = field(default_factory=list)
    running: bool = False


@dataclass
class Delivery:
    id: str
    payload: dict[str, Any]
    queued_at: float
    status: str = "enqueued"
    attempts: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Mischief:
    """`time_scale` 3600 makes an hour of backoff pass in a second."""

    duplicate: float = 0.0
    reorder: bool = False
    silent: bool = False
    time_scale: float = 1.0


class Webhooks:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.hooks: dict[int, Hook] = {}
        self.mischief = Mischief()
        self._tasks: set[asyncio.Task[None]] = set()

    def emit(
        self,
        *,
        resource: str,
        reason: str,
        company_id: int,
        project_id: int | None,
        resource_id: int,
        user_id: int | None,
    ) -> None:
        if self.mischief.silent:
            return
        for hook in self.hooks.values():
            wanted = (resource, reason) in hook.triggers.values() and hook.status == "active"
            if hook.company_id != company_id or not wanted:
                continue
            payload = {
                "id": ulid(),
                "timestamp": stamp(self.clock.now()),
                "reason": reason,
                "company_id": str(company_id),
                "project_id": str(project_id) if project_id else None,
                "user_id": str(user_id) if user_id else None,
                "resource_type": resource,
                "resource_id": str(resource_id),
            }
            copies = 2 if random.random() < self.mischief.duplicate else 1
            for _ in range(copies):
                delivery = Delivery(str(payload["id"]), payload, time.monotonic())
                hook.queue.append(delivery)
                hook.deliveries.append(delivery)
            self._start(hook)

    def _start(self, hook: Hook) -> None:
        if hook.running:
            return
        hook.running = True
        task = asyncio.get_running_loop().create_task(self._drain(hook))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _drain(self, hook: Hook) -> None:
        """One queue per hook: a failure pauses all of it, a success resumes it."""
        pause = FIRST_RETRY
        async with httpx.AsyncClient(timeout=ANSWER_LIMIT, trust_env=False) as client:
            try:
                await asyncio.sleep(0.05)
                while hook.queue and hook.id in self.hooks:
                    if self.mischief.reorder:
                        random.shuffle(hook.queue)
                    delivery = hook.queue[0]
                    age = (time.monotonic() - delivery.queued_at) * self.mischief.time_scale
                    if age > DISCARD_AFTER:
                        for waiting in hook.queue:
                            waiting.status = "discarded"
                        hook.queue.clear()
                        return
                    if await self._attempt(client, hook, delivery):
                        hook.queue.remove(delivery)
                        pause = FIRST_RETRY
                    else:
                        await asyncio.sleep(pause / self.mischief.time_scale)
                        pause = min(pause * 2, LONGEST_RETRY)
            finally:
                hook.running = False

    async def _attempt(self, client: httpx.AsyncClient, hook: Hook, delivery: Delivery) -> bool:
        headers = {"Authorization": hook.authorization} if hook.authorization else {}
        try:
            answer = await client.post(hook.destination_url, json=delivery.payload, headers=headers)
            status: int | None = answer.status_code
        except httpx.HTTPError:
            status = None
        delivered = status is not None and 200 <= status < 300
        delivery.status = "delivered" if delivered else "retrying"
        delivery.attempts.append(
            {"attempted_at": stamp(self.clock.now()), "response_status": status}
        )
        return delivered


def ulid() -> str:
    """48 bits of milliseconds, 80 random bits, in Crockford's base 32."""
    number = (int(time.time() * 1000) << 80) | int.from_bytes(os.urandom(10))
    return "".join(CROCKFORD[(number >> shift) & 31] for shift in range(125, -5, -5))
