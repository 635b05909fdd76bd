"""People in the console: their list, one of them."""

from django.contrib import admin

from notifications.inbox.admin.recipient_list import RecipientLists
from notifications.inbox.admin.recipient_page import RecipientPages
from notifications.inbox.models import Recipient


@admin.register(Recipient)
class RecipientAdmin(RecipientPages, RecipientLists):
    """Put together from the pages; each file is one of them."""
