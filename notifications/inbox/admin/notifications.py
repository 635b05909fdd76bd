"""Notifications in the console: their list, one of them, acts on many, writing one."""

from django.contrib import admin

from notifications.inbox.admin.bulk import BulkPages
from notifications.inbox.admin.compose import ComposePages
from notifications.inbox.admin.notification_list import NotificationLists
from notifications.inbox.admin.notification_page import NotificationPages
from notifications.inbox.models import Notification


@admin.register(Notification)
class NotificationAdmin(BulkPages, ComposePages, NotificationPages, NotificationLists):
    """Put together from the pages; each file is one of them."""
