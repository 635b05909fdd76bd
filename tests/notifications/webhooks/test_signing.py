from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from notifications.webhooks.signing import secret_is_valid, secret_make, signature
from tests.notifications.webhooks.rows import SECRET

pytestmark = pytest.mark.unit

BODY = '{"test": "Zoë"}'.encode()


def headers(secrets: list[str], body: bytes = BODY) -> dict[str, str]:
    at = int(datetime.now(UTC).timestamp())
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(at),
        "webhook-signature": signature(secrets, "msg_1", at, body),
    }


def test_the_example_of_the_specification_comes_out() -> None:
    # standard-webhooks, libraries/python/tests: the fixed vector of its test_sign_function.
    made = signature([SECRET], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_library_of_the_standard_verifies_each_of_several_signatures() -> None:
    first, second = secret_make(), secret_make()
    for secret in (first, second):
        assert Webhook(secret).verify(BODY, headers([first, second])) == {"test": "Zoë"}


@pytest.mark.parametrize("change", ["body", "secret", "id"])
def test_what_was_changed_does_not_verify(change: str) -> None:
    secret = secret_make()
    given = headers([secret])
    body = BODY + b" " if change == "body" else BODY
    if change == "id":
        given["webhook-id"] = "msg_2"
    key = secret_make() if change == "secret" else secret
    with pytest.raises(WebhookVerificationError):
        Webhook(key).verify(body, given)


def test_a_new_secret_is_valid_and_new() -> None:
    made = {secret_make() for _ in range(20)}
    assert len(made) == 20
    assert all(secret_is_valid(secret) for secret in made)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!!", SECRET[6:], "whsec_" + "YWFh" * 30]
)
def test_a_secret_that_receivers_cannot_use_is_told_apart(secret: str) -> None:
    assert not secret_is_valid(secret)
