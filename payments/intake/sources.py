"""Who may send us webhooks: each sender registers how it is proved, read and processed.

Sources register when Django is set up, whatever is switched on: a door that is not there loses money.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jobs.outcomes import Outcome
from jobs.registry import JobKind
from payments.errors import SourceUnknown
from payments.models import IncomingWebhook, Intake


@dataclass(frozen=True, slots=True)
class Described:
    """What a body is about, read before anything is decided.

    key: the same for two deliveries of one event, empty if they cannot be told. partition: deliveries
    of one key are processed in the order in which they came.
    """

    kind: str  # payment, user_event, server_event
    event: str  # as the sender calls it
    key: str = ""
    object_ref: str = ""
    partition: str = ""


@dataclass(frozen=True, slots=True)
class Processed:
    """What became of a delivery: PROCESSED or UNMATCHED. note: for people, why nothing was done.

    is_noted: its row says so already, written in the transaction of the work.
    """

    state: Intake = Intake.PROCESSED
    object_ref: str = ""
    note: str = ""
    is_noted: bool = False


class BodyUnreadable(ValueError):
    """The body is not what this source sends; the text says why."""


@dataclass(frozen=True, slots=True)
class Source:
    """One sender.

    verify(body, headers): whether the sender has signed it; None: nobody can tell now, because the
        secret is not set. In constant time. headers: lower-case names.
    describe(body): raises BodyUnreadable.
    process(row): does the work, in a job. Repeatable: a delivery may be processed again at any time.
        Returns Processed, or an Outcome such as Snooze if it cannot be done now; raises what the
        ladder of `kind` is for.
    kind: a job kind that takes `webhook_id: int` and returns intake_process(webhook_id).
    settle(body): what is done at once, in the transaction that writes the delivery down, if writing a
        few rows is all there is to do; None: it takes the job. Called for signed ones that are new.
    headers: names, in lower case, of what is kept; never one that holds a secret.
    """

    name: str
    title: str
    path: str  # of its door
    verify: Callable[[bytes, Mapping[str, str]], bool | None]
    describe: Callable[[bytes], Described]
    process: Callable[[IncomingWebhook], Processed | Outcome]
    kind: JobKind[Any]
    settle: Callable[[bytes], Processed | None] | None = None
    headers: tuple[str, ...] = ()
    max_body_bytes: int = 256 * 1024
    secret_setting: str = ""  # what a person has to set if verify says None


_sources: dict[str, Source] = {}


def source_register(source: Source) -> None:
    """Make a source known. Registering it again replaces it."""
    _sources[source.name] = source


def source_get(name: str) -> Source:
    """The source of that name. Raises SourceUnknown."""
    try:
        return _sources[name]
    except KeyError:
        raise SourceUnknown(f"no source of webhooks is called {name!r}") from None


def sources() -> list[Source]:
    """All of them, by name."""
    return [_sources[name] for name in sorted(_sources)]
