"""Our static files, served by the web process itself."""

import asyncio

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware

from config.middleware import GetResponse, Middleware


class StaticFilesMiddleware(Middleware):
    """WhiteNoise that can be awaited.

    The original is sync only: under ASGI it costs every request, static or not, two changes of
    thread, and streams files in a way that Django warns about. Here a file is read whole in a
    thread (the largest has some MB), and any other request passes untouched.
    """

    def __init__(self, get_response: GetResponse) -> None:
        super().__init__(get_response)
        self._files = WhiteNoiseMiddleware(get_response)

    def called(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(self._files.static_prefix):
            response = self._read(request)
            if response is not None:
                return response
        return super().called(request)

    async def awaited(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(self._files.static_prefix):
            response = await asyncio.to_thread(self._read, request)
            if response is not None:
                return response
        return await super().awaited(request)

    def _read(self, request: HttpRequest) -> HttpResponse | None:
        files, path = self._files, request.path_info
        found = files.find_file(path) if files.autorefresh else files.files.get(path)
        if found is None:
            return None
        answer = found.get_response(request.method, request.META)
        content = b""
        if answer.file is not None:
            with answer.file as file:
                content = file.read()
        response = HttpResponse(content, status=int(answer.status))
        del response["Content-Type"]
        for name, value in answer.headers:
            response[name] = value
        return response
