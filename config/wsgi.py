"""HTTP without WebSocket, for a process that serves the API only."""

from django.core.wsgi import get_wsgi_application

from config.start import start

start(servers=True)
application = get_wsgi_application()
