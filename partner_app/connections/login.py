"""Procore's login host: one client for it; its Retry-After is shared by all processes."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings

from integrations.procore.api.oauth import OAuth
from partner_app.core import clock
from partner_app.core.flags import flag, raise_flag

BAR = "tieback:login:bar"


@dataclass(frozen=True)
class SharedBar:
    """Every token call of every process respects it."""

    def until(self) -> datetime | None:
        moment = datetime.fromtimestamp(float(flag(BAR) or 0), UTC)
        return moment if moment > clock.now() else None

    def keep_away(self, until: datetime) -> None:
        seconds = math.ceil((until - clock.now()).total_seconds())
        raise_flag(BAR, str(until.timestamp()), seconds=max(1, seconds))


def oauth() -> OAuth:
    procore = settings.PROCORE
    return OAuth(
        procore.login_url,
        procore.client_id,
        procore.client_secret,
        procore.redirect_uri,
        procore.user_agent,
        SharedBar(),
    )
