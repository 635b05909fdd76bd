"""The consumer of the Channels guide: a group per person, each event sent as text."""

import os
from urllib.parse import parse_qs

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter  # noqa: E402


class InboxConsumer(AsyncWebsocketConsumer):
    async def connect(self):
        [user_id] = parse_qs(self.scope["query_string"].decode())["user_id"]
        self.group = f"user_{user_id}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def inbox_push(self, event):
        await self.send(text_data=event["text"])


application = ProtocolTypeRouter({"websocket": InboxConsumer.as_asgi()})
