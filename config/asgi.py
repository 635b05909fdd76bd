"""HTTP and WebSocket for uvicorn. Sockets need `python -m config.serve`, which also drains them."""

from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path

from config.start import start

start(servers=True)
site: Any = get_asgi_application()  # what is imported below needs the apps

from config.api.door import Door  # noqa: E402
from config.lifespan import lifespan  # noqa: E402
from config.straight import Straight  # noqa: E402
from jobs.progress.consumers import progress_socket  # noqa: E402
from monitoring.dashboard.consumers import dashboard_socket  # noqa: E402
from notifications.inbox.api import notify  # noqa: E402
from notifications.inbox.consumers import inbox, nowhere  # noqa: E402
from notifications.inbox.live.consumers import console  # noqa: E402
from notifications.inbox.origins import origin_ok  # noqa: E402
from payments.intake.sources import sources  # noqa: E402

sockets: dict[str, Any] = {
    "ws": inbox,
    "ws/console": console,
    "ws/dashboard": dashboard_socket(),
    "ws/progress/<uuid:operation_id>": progress_socket(origin_ok),
    "<path:path>": nowhere,
}
heard: Any = Straight(site, {source.path for source in sources()})
application = ProtocolTypeRouter(
    {
        "http": Door(heard, {f"/{notify.PATH}": notify.NotifyApi}),
        "websocket": URLRouter([path(address, app) for address, app in sockets.items()]),
        "lifespan": lifespan,
    }
)
