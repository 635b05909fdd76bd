"""Why somebody did not get a broadcast: stable words in the ledger, and sentences for people."""

REASONS = {
    # skipped
    "muted": "The person has muted broadcasts.",
    "no_telegram": "No Telegram account is known for this person.",
    "duplicate_chat": "The same chat got it already, through another login of this person.",
    "cancelled": "The broadcast was cancelled before its turn came.",
    # failed
    "gone": "The person was deleted meanwhile.",
    "blocked": "The person has blocked the bot.",
    "deactivated": "The account of the person is gone.",
    "not_started": "The person has never pressed Start in the bot.",
    "not_found": "The bot has never met this id: the person never pressed Start, or the id is wrong.",
    "kicked": "The bot was thrown out of the group.",
    "to_bot": "The id belongs to a bot.",
    "refused": "Telegram refused the request.",
    "unavailable": "Telegram did not answer, however often it was tried.",
    "internal": "Something went wrong on our side; the log says what.",
    # unknown
    "outcome_unknown": "The connection broke after the request: it may have arrived.",
    "sender_killed": "The worker was killed while it sent this: it may have arrived.",
    # sent
    "deferred": "It waits for the person's quiet hours to end.",
}


def reason_text(reason: str) -> str:
    """The sentence for people; the word itself if nobody has written one."""
    return REASONS.get(reason, reason)
