"""How the audit log tells what people do to outgoing webhooks."""

from jobs.auditing import Page, words_register

words_register(
    {
        "webhooks.create": "made",
        "webhooks.change": "changed",
        "webhooks.enable": "enabled",
        "webhooks.disable": "disabled",
        "webhooks.delete": "deleted",
        "webhooks.rotate": "rotated the secret of",
        "webhooks.retire_secret": "retired the old secret of",
        "webhooks.reveal_secret": "looked at the secret of",
        "webhooks.ping": "sent a test to",
        "webhooks.try_now": "told to try now",
        "webhooks.replay": "replayed",
        "webhooks.replay_since": "replayed a span of",
        "webhooks.cancel": "cancelled",
        "webhooks.bulk_replay": "replayed many",
        "webhooks.bulk_cancel": "cancelled many",
    },
    things={
        "webhook endpoint": Page("webhooks_endpoint"),
        "webhook delivery": Page("webhooks_delivery"),
    },
)
