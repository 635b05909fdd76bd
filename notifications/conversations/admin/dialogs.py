"""Dialogs in the console: their list, and one with its messages, its people, and what was told."""

from django.contrib import admin

from notifications.conversations.admin.dialog_list import DialogLists
from notifications.conversations.admin.dialog_page import DialogPages
from notifications.conversations.models import Dialog


@admin.register(Dialog)
class DialogAdmin(DialogPages, DialogLists):
    """Put together from the pages; each file is one of them."""
