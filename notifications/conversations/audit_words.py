"""How the audit log tells what people do to conversations."""

from jobs.auditing import Page, words_register

words_register(
    {
        "conversations.archive": "put away",
        "conversations.unarchive": "brought back",
        "conversations.mute": "switched off notifications of",
        "conversations.unmute": "switched on notifications of",
    },
    things={
        "dialog": Page("conversations_dialog"),
    },
)
