"""Broadcasts in the console: their list, writing one, one of them, sending, its ledger, recalling it."""

from django.contrib import admin

from notifications.broadcasts.admin.broadcast_list import BroadcastLists
from notifications.broadcasts.admin.broadcast_page import BroadcastPages
from notifications.broadcasts.admin.bulk import BulkPages
from notifications.broadcasts.admin.compose import ComposePages
from notifications.broadcasts.admin.ledger import LedgerPages
from notifications.broadcasts.admin.recall import RecallPages
from notifications.broadcasts.admin.send import SendPages
from notifications.broadcasts.models import Broadcast


@admin.register(Broadcast)
class BroadcastAdmin(
    BulkPages, ComposePages, SendPages, LedgerPages, RecallPages, BroadcastPages, BroadcastLists
):
    """Put together from the pages; each file is one of them."""
