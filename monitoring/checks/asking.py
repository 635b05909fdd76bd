"""Looking at several services side by side: the slowest decides how long it takes, and none for long."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from monitoring.checks.verdicts import LookFailed, Verdict

logger = logging.getLogger(__name__)

Look = Callable[[], dict[str, Any]]


def ask_all(looks: Mapping[str, Look], *, timeout_s: float) -> dict[str, Verdict]:
    """Run every look in a thread of its own. Each has a verdict after timeout_s, whatever it does.

    A look that hangs is left behind: its own limits end it, and it holds up nobody meanwhile.
    """
    found: dict[str, Verdict] = {}
    threads = {
        name: threading.Thread(
            target=_run, args=(name, look, found), name=f"look-{name}", daemon=True
        )
        for name, look in looks.items()
    }
    ends_at = time.monotonic() + timeout_s
    for thread in threads.values():
        thread.start()
    for thread in threads.values():
        thread.join(max(0.0, ends_at - time.monotonic()))
    late = Verdict(False, timeout_s * 1000, f"no answer within {timeout_s:g} s")
    answered = dict(found)  # a late one may still write
    return {name: answered.get(name, late) for name in looks}


def _run(name: str, look: Look, found: dict[str, Verdict]) -> None:
    started = time.monotonic()
    try:
        facts, error, is_refusal = look(), "", False
    except LookFailed as exc:
        facts, error, is_refusal = {}, str(exc), exc.is_refusal
    except Exception as exc:  # a fault of ours must not look like a service that is well
        logger.exception("the look at %s failed", name)
        facts, error, is_refusal = {}, f"the look itself failed: {type(exc).__name__}", False
    spent_ms = (time.monotonic() - started) * 1000
    found[name] = Verdict(not error, spent_ms, error, is_refusal, facts)
