"""Why somebody was not told, not cut or not reset: stable words, and what they mean for people."""

NOTICES = {
    "no_telegram": "No Telegram account is known.",
    "bad_telegram": "The Telegram id is none that Telegram could have given.",
    "blocked": "The person has blocked the bot.",
    "muted": "The person has muted messages about the subscription.",
    "same_person": "The person was told already, for another subscription that ends on the same day.",
    "disabled": "Is disabled in the panel.",
    "gone": "The panel has no such user any more.",
    "paid": "Has paid; access is being switched on.",
    "moved": "The end was moved meanwhile: paid, or changed in the panel.",
    "later_stage": "The next reminder applies by now.",
    "expired": "The panel had expired it by then.",
    "other_person": "The panel has another person under this number.",
    "too_late": "It ended too long ago to be news.",
    "unknown": "The panel gave no answer that could be believed.",
    "served": "The panel has not expired it yet.",
}
ITEMS = {
    "cut": "Was disabled in the panel.",
    "reset": "The counter was set to zero.",
    "panel_expired": "The panel had expired it by itself.",
    "disabled": "Was disabled already.",
    "moved": "The end was moved meanwhile: paid, or changed in the panel.",
    "paid": "Has paid; access is being switched on.",
    "gone": "The panel has no such user any more.",
    "held_by_another": "Another subscription that is still paid for holds this user of the panel.",
    "other_person": "The panel has another person under this number.",
    "refused": "A person refused the run.",
    "stopped": "A person stopped the run.",
    "unknown": "The panel gave no answer that could be believed; nothing was done.",
    "panel_refused": "The panel refused it.",
    "not_confirmed": "The panel took the order, but did not carry it out.",
    "job_dead": "Its job gave up; see the dead letters.",
    "job_gone": "Its job was cancelled in the console.",
    "asked": "Was asked for; the panel has not confirmed it yet.",
    "asked_again": "Was asked for again; the panel has not confirmed it yet.",
}


def notice_reason(word: str) -> str:
    """The reason of a notice as a sentence."""
    return NOTICES.get(word, word.replace("_", " "))


def item_reason(word: str) -> str:
    """The reason of an item of a sweep as a sentence."""
    return ITEMS.get(word, word.replace("_", " "))
