"""An operator's actions on a tenant: each with its role, its explanation and its effect.

An action asks for confirmation first and is recorded in the audit log.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.core.mail import EmailMessage

from integrations.procore.sync.missing import confirm_deletion, missing_in_words
from integrations.procore.sync.schedule import make_due, make_full_due
from integrations.procore.webhooks.hooks import check_soon
from partner_app.accounts.models import Role
from partner_app.connections.leave import purge_now
from partner_app.core.logging import log
from partner_app.core.mail import MailFailed, deliver
from partner_app.tenancy.features import Feature, is_on, switch
from partner_app.tenancy.lifecycle import pause, resume, schedule_purge
from partner_app.tenancy.models import CONNECTED, USABLE, Company


@dataclass(frozen=True)
class ActionRequest:
    """Who acts on whom; `address` receives a reconnect link; `chosen` are the selected choices."""

    company: Company
    actor: str
    address: str = ""
    chosen: tuple[int, ...] = ()


@dataclass(frozen=True)
class OperatorAction:
    """`word`: the company's name must be typed, because the action cannot be undone.

    `choices`: the options, each with a sentence.
    """

    name: str
    title: str
    role: Role
    says: str
    done: str
    run: Callable[[ActionRequest], None]
    fits: Callable[[Company], bool]
    word: bool = False
    mails: bool = False
    choices: Callable[[Company], Sequence[tuple[int, str]]] | None = None


def _connected(company: Company) -> bool:
    return company.state in CONNECTED


def _resync(order: ActionRequest) -> None:
    make_due(company_id=order.company.id)


def _read_all(order: ActionRequest) -> None:
    make_full_due(company_id=order.company.id)


def _pause(order: ActionRequest) -> None:
    pause(company_id=order.company.id, actor=order.actor)


def _resume(order: ActionRequest) -> None:
    resume(company_id=order.company.id, actor=order.actor)


def _check_hook(order: ActionRequest) -> None:
    check_soon(company_id=order.company.id)


def _rotate_hook(order: ActionRequest) -> None:
    check_soon(company_id=order.company.id, rotate=True)


def _missing(company: Company) -> list[tuple[int, str]]:
    return missing_in_words(company.id)


def _confirm_missing(order: ActionRequest) -> None:
    confirm_deletion(company_id=order.company.id, ids=order.chosen, actor=order.actor)


def _purge(order: ActionRequest) -> None:
    schedule_purge(company_id=order.company.id, actor=order.actor)


def _purge_now(order: ActionRequest) -> None:
    purge_now(company_id=order.company.id, actor=order.actor)


def reconnect_link() -> str:
    return f"{settings.BASE_URL}/install/"


def _send_link(order: ActionRequest) -> None:
    """By mail where an address was given; the page shows the link in any case."""
    if not order.address or not settings.MAIL:
        return
    text = (
        f"The connection between Procore and Tieback has ended for {order.company.name}. No data "
        "is lost. An administrator of the company can connect again in a minute:\n\n"
        f"{reconnect_link()}\n"
    )
    try:
        deliver(EmailMessage("Please reconnect Tieback with Procore", text, to=[order.address]))
    except MailFailed:
        log.warning("reconnect.mail_failed", company_id=order.company.id)


def _switch(order: ActionRequest, *, feature: Feature, on: bool) -> None:
    switch(company_id=order.company.id, feature=feature, on=on, actor=order.actor)


def _features() -> list[OperatorAction]:
    found = []
    for feature in Feature:
        for on in (False, True):
            verb = "on" if on else "off"
            found.append(
                OperatorAction(
                    f"{feature}-{verb}",
                    f"Switch {feature.label} {verb}",
                    Role.OPERATOR,
                    f"{feature.label} is switched {verb} for this company at once. Its data stays.",
                    f"{feature.label} is {verb}.",
                    partial(_switch, feature=feature, on=on),
                    partial(_stands, feature=feature, on=not on),
                )
            )
    return found


def _stands(company: Company, *, feature: Feature, on: bool) -> bool:
    return is_on(company, feature) is on


ACTIONS: dict[str, OperatorAction] = {
    action.name: action
    for action in (
        OperatorAction(
            "resync", "Sync now", Role.OPERATOR,
            "Changes in Procore are read as soon as a worker is free.",
            "The sync is due now.", _resync, _connected,
        ),
        OperatorAction(
            "read-all", "Read everything again", Role.OPERATOR,
            "Every resource of every permitted project is read from the beginning. This takes as "
            "many calls as the first sync; existing records stay available meanwhile.",
            "A full sync is due now.", _read_all, _connected,
        ),
        OperatorAction(
            "pause", "Pause", Role.OPERATOR,
            "No sync starts until someone resumes it. People at the company still see the existing "
            "records and their age. Webhooks are still accepted.",
            "Syncs are paused.", _pause, lambda company: company.paused_at is None,
        ),
        OperatorAction(
            "resume", "Resume", Role.OPERATOR,
            "Syncs continue where they stopped.",
            "Syncs are resumed.", _resume, lambda company: company.paused_at is not None,
        ),
        OperatorAction(
            "reconnect-link", "Ask to reconnect", Role.SUPPORT,
            "An administrator of the company opens the link below and signs in with Procore. The "
            "link holds no secret.",
            "The link was sent if you gave an address.", _send_link,
            lambda company: company.state in USABLE, mails=True,
        ),
        OperatorAction(
            "check-hook", "Check the webhook", Role.OPERATOR,
            "The webhook at Procore is compared with the expected one and corrected; then "
            "Procore’s log is read for events that never arrived.",
            "The webhook is checked within seconds.", _check_hook, _connected,
        ),
        OperatorAction(
            "rotate-hook", "Renew the webhook’s secret", Role.OPERATOR,
            "Procore gets a new secret for our webhook. The former one is accepted until the next "
            "renewal, so no event is lost.",
            "The secret is renewed within seconds.", _rotate_hook, _connected,
        ),
        OperatorAction(
            "missing-records", "Confirm missing records", Role.OPERATOR,
            "Procore no longer shows these records but does not confirm that they were deleted, so "
            "they are kept. Choose those that the company did delete in Procore: they are deleted "
            "here when their lists are read next.",
            "Your selection is deleted when the lists are read next.", _confirm_missing,
            lambda company: bool(_missing(company)), word=True, choices=_missing,
        ),
        OperatorAction(
            "purge", "Delete after the grace period", Role.OPERATOR,
            "All data of the company is deleted when its grace period, counted from now, has "
            "passed.",
            "The deletion is scheduled.", _purge,
            lambda company: company.purge_after is None, word=True,
        ),
        OperatorAction(
            "purge-now", "Delete everything now", Role.OWNER,
            "Tokens are revoked and every row of this company is deleted now. This cannot be "
            "undone; the audit log keeps a record of it.",
            "All data of this company is deleted.", _purge_now, lambda _company: True, word=True,
        ),
        *_features(),
    )
}  # fmt: skip
