"""The examples of docs/webhooks.md accept what we send, and refuse what was changed."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from playwright._impl._driver import compute_driver_executable

from notifications.webhooks.signing import secret_make, signature

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = (ROOT / "docs" / "webhooks.md").read_text()
SECRET, OTHER = secret_make(), secret_make()
BODY = '{"type":"webhook.test","data":{"name":"Zoë"}}'.encode()

Verify = Callable[[str, dict[str, str], bytes], bool]


def example(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?verify.*?)```", DOCUMENT, re.DOTALL | re.IGNORECASE)
    assert found is not None
    return found[1]


def headers(*secrets: str, at: int | None = None) -> dict[str, str]:
    at = int(time.time()) if at is None else at
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(at),
        "webhook-signature": signature(secrets, "msg_1", at, BODY),
    }


def by_python(secret: str, given: dict[str, str], body: bytes) -> bool:
    scope: dict[str, Verify] = {}
    exec(example("python"), scope)
    return scope["verify"](secret, given, body)


def by_node(secret: str, given: dict[str, str], body: bytes) -> bool:
    program = f"""{example("javascript")}
    const [secret, headers, body] = JSON.parse(process.argv[1]);
    console.log(verify(secret, headers, Buffer.from(body)));"""
    node, _ = compute_driver_executable()  # the one that drives the browsers of our tests
    done = subprocess.run(
        [node, "--input-type=module", "-e", program, json.dumps([secret, given, body.decode()])],
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    return done.stdout.strip() == "true"


@pytest.fixture(params=[by_python, by_node], ids=["python", "javascript"])
def verify(request: pytest.FixtureRequest) -> Verify:
    found: Verify = request.param
    return found


def test_what_we_sign_is_accepted(verify: Verify) -> None:
    assert verify(SECRET, headers(SECRET), BODY)


def test_during_a_rotation_both_secrets_are_accepted(verify: Verify) -> None:
    given = headers(OTHER, SECRET)
    assert verify(SECRET, given, BODY)
    assert verify(OTHER, given, BODY)


@pytest.mark.parametrize("changed", ["secret", "body", "id", "signature", "version"])
def test_what_was_changed_is_refused(verify: Verify, changed: str) -> None:
    given = headers(SECRET)
    if changed == "id":
        given["webhook-id"] = "msg_2"
    elif changed == "signature":
        given["webhook-signature"] = "v1,AAAA v1, nonsense"
    elif changed == "version":
        given["webhook-signature"] = given["webhook-signature"].replace("v1,", "v2,")
    secret = OTHER if changed == "secret" else SECRET
    assert not verify(secret, given, BODY + b" " if changed == "body" else BODY)


@pytest.mark.parametrize("seconds", [-400, 400])
def test_what_is_not_fresh_is_refused(verify: Verify, seconds: int) -> None:
    assert not verify(SECRET, headers(SECRET, at=int(time.time()) + seconds), BODY)


def test_the_example_receiver_takes_what_is_ours_once_and_refuses_the_rest() -> None:
    script = ROOT / "docs" / "examples" / "webhook-receiver.py"
    process = subprocess.Popen(
        [sys.executable, str(script), SECRET, "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]

        def post(given: dict[str, str]) -> int:
            return requests.post(url, BODY, headers=given, timeout=20).status_code

        ours = headers(SECRET)
        assert (post(ours), post(ours)) == (204, 204)
        assert post(headers(OTHER)) == 401
        assert post({}) == 401
        assert post({**ours, "webhook-timestamp": "soon"}) == 401
    finally:
        process.terminate()
        printed, _ = process.communicate(timeout=20)
    assert printed == f"msg_1 {BODY.decode()}\n"
