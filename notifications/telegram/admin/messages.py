"""The queue in the console: its list, a message, acts on many, writing one, the templates."""

from django.contrib import admin

from notifications.telegram.admin.bulk import BulkPages
from notifications.telegram.admin.compose import ComposePages
from notifications.telegram.admin.message_list import MessageLists
from notifications.telegram.admin.message_page import MessagePages
from notifications.telegram.admin.template_page import TemplatePages
from notifications.telegram.models import QueuedMessage


@admin.register(QueuedMessage)
class MessageAdmin(BulkPages, ComposePages, TemplatePages, MessagePages, MessageLists):
    """Put together from the pages; each file is one of them."""
