"""Conversations: dialogs, and a word to those who have not read for a while."""

from django.apps import AppConfig


class ConversationsConfig(AppConfig):
    name = "notifications.conversations"
    label = "conversations"
    verbose_name = "Conversations"
