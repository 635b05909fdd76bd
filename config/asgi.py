"""HTTP for uvicorn: `uvicorn config.asgi:application`."""

from django.core.asgi import get_asgi_application

from config.start import start

start(servers=True)
application = get_asgi_application()
