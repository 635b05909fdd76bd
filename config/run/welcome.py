"""What `make run` prints when everything answers: where to look, who logs in, what to try."""

import json
import os
import shlex
import sys
from collections.abc import Mapping

from django.conf import settings

from config import embedded
from config.run.plan import DEMO_APP, ROOT, Plan

CHAT = 500100201
_SQL = (
    "INSERT INTO notification_queue (telegram_id, message, notification_type, scheduled_at)"
    f" VALUES ({CHAT}, 'Hello from <b>SQL</b>', 'hello', now())"
)
_NOTIFICATION = {
    "target": [{"id": 1, "login": "alice"}],
    "message": "Your order is on its way",
    "source": "order-service",
}
_MESSAGE = {"telegram_id": CHAT, "message": "Hello from <b>REST</b>"}


def welcome(plan: Plan, login: str) -> str:
    """A page of text. Each command is one line that works as pasted, from any directory."""
    played = "telegram" in plan.played
    arrives = plan.sandbox_url if played else "Telegram itself"
    return f"""
Switchboard {settings.VERSION} is up. Ctrl-C stops everything.

  Console   {plan.url}/admin/    {login.removeprefix("Admin login: ")}
  Inbox     {plan.url}/    send a notification and watch it arrive
  API       {plan.url}/api/docs/
  Telegram  {arrives}{"    a sandbox: nothing leaves this machine" if played else ""}
  Data      {settings.DATA_DIR}    logs in {settings.DATA_DIR / "logs"}

{_count(plan)} things to try, in another terminal:

1. Open {plan.url}/ and press "Open inbox": you are alice. Send her something, and look there.

{_post(plan.url, "/api/v1/notify", _NOTIFICATION)}

2. Queue a Telegram message by plain SQL. Within a second it is there: {arrives}

{_psql()} -c "{_SQL}"

3. The same over REST; the answer says what became of it.

{_post(plan.url, "/api/v1/telegram/messages", _MESSAGE)}

4. Be an outside worker with curl alone: make a job, lease it, beat, complete it, and be refused.

sh {shlex.quote(str(ROOT / "docs/examples/outside-worker.sh"))} {plan.url}
{_time(plan)}"""


def _count(plan: Plan) -> str:
    return "Five" if _has_shop(plan) else "Four"


def _has_shop(plan: Plan) -> bool:
    """Whether there are subscribers to watch, and a clock that can be moved for them."""
    web = plan.environments["web"]
    return {"remnawave", "cryptopay"} <= plan.played and "CLOCK_FILE" in web and _is_demo(web)


def _is_demo(environment: Mapping[str, str]) -> bool:
    return DEMO_APP in environment.get("SWITCHBOARD_EXTRA_APPS", "").split(",")


def _time(plan: Plan) -> str:
    if not _has_shop(plan):
        return ""
    web = plan.environments["web"]
    given = " ".join(
        f"{name}={shlex.quote(web[name])}"
        for name in ("CLOCK_FILE", "SANDBOX_URL", "DATA_DIR")
        if name in web
    )
    program = f"{shlex.quote(sys.executable)} {shlex.quote(str(ROOT / 'manage.py'))}"
    return f"""
5. In the shop somebody runs out of time every half minute, is reminded, pays. Let six hours pass:

env {given} {program} move_clock 6h
"""


def _psql() -> str:
    if settings.EMBEDDED_POSTGRES:
        return embedded.psql_command(settings.DATA_DIR)
    # Its password is not for the screen: the shell that pastes this has the variable, as ours had.
    return 'psql "$DATABASE_URL"'


def _post(url: str, path: str, body: Mapping[str, object]) -> str:
    # With OPEN_IDENTITY=0 the shell's TOKEN is what `manage.py create_service_account` printed.
    token = "" if settings.DEBUG and os.environ.get("OPEN_IDENTITY") != "0" else _TOKEN
    kind = "-H 'Content-Type: application/json'"
    return f"curl -sS -X POST {url}{path} {kind} {token}-d {shlex.quote(json.dumps(body))}"


_TOKEN = '-H "Authorization: Bearer $TOKEN" '  # noqa: S105 - a variable of the shell
