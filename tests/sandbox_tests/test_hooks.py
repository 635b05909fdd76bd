"""The receiver of webhooks that the sandbox brings."""

import requests

from tests.sandbox.fixture import Sandbox


def post(sandbox: Sandbox, name: str, message: str) -> int:
    return requests.post(
        f"{sandbox.url}/_sandbox/hooks/{name}",
        data=b'{"type": "webhook.test"}',
        headers={"webhook-id": message},
        timeout=10,
    ).status_code


def test_what_comes_is_taken_in_and_told(sandbox: Sandbox) -> None:
    assert post(sandbox, "shop", "msg_told") == 204
    answer = requests.get(f"{sandbox.url}/_sandbox/hooks?name=shop", timeout=10).json()
    newest = answer["received"][0]
    assert (newest["name"], newest["status"], newest["headers"]["webhook-id"]) == (
        "shop", 204, "msg_told",
    )  # fmt: skip
    assert newest["body"] == '{"type": "webhook.test"}'


def test_the_flaky_one_refuses_each_message_once(sandbox: Sandbox) -> None:
    assert [post(sandbox, "flaky", each) for each in ("m1", "m2", "m1", "m2", "m1")] == [
        503, 503, 204, 204, 204,
    ]  # fmt: skip
