"""Looking at one subscriber in the panel: three-valued, so that nobody takes silence for an answer."""

import logging
from dataclasses import dataclass
from datetime import datetime

from lib import clock
from subscriptions.models import Subscriber
from subscriptions.panel.client import PanelClient
from subscriptions.panel.errors import PanelError, PanelMissing, PanelWaits
from subscriptions.panel.types import PanelUser

logger = logging.getLogger("switchboard.lifecycle")


@dataclass(frozen=True, slots=True)
class Seen:
    """The panel showed the user. read_at: our clock before it was asked, for the mirror."""

    user: PanelUser
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Gone:
    """The panel itself says that there is no such user."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer, or none that can be believed. Nothing may follow from it."""

    error: str
    reason: str = "unknown"  # a word of subscriptions.lifecycle.reasons


Look = Seen | Gone | Unknown


def panel_look(client: PanelClient, row: Subscriber) -> Look:
    """Read one user now. One request, two if there is none of this number.

    Raises PanelWaits: nothing was asked, so nothing is known.
    """
    if row.panel_id is None:
        return Unknown("its number in the panel is not known yet")
    read_at = clock.now()
    try:
        user = client.user(row.panel_id)
    except PanelMissing:
        return _missing(client, row)
    except PanelWaits:
        raise
    except PanelError as exc:
        return _unknown(row, exc)
    if user.username != row.username:
        # A panel that was restored from a backup gives numbers anew: this is somebody else.
        logger.error("subscriber %s: the panel has another person under this number", row.pk)
        return Unknown("the panel has another person under this number", "other_person")
    return Seen(user, read_at)


def _missing(client: PanelClient, row: Subscriber) -> Look:
    """Nobody has this number; with a new number under the old name it is for the mirror to tell who."""
    try:
        client.user_by_username(row.username)
    except PanelMissing:
        logger.info("subscriber %s is gone from the panel", row.pk)
        return Gone()
    except PanelWaits:
        raise
    except PanelError as exc:
        return _unknown(row, exc)
    return Unknown("the panel has somebody of this name under another number")


def _unknown(row: Subscriber, exc: PanelError) -> Unknown:
    logger.warning("subscriber %s cannot be read: %s", row.pk, exc)
    return Unknown(str(exc))
