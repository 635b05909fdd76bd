"""python -m benchmarks.conversations.receiver FILE: an endpoint that notes when it heard of which message.

Prints its port, and writes "MESSAGE SECONDS" (unix time) for each request, before it answers.
"""

import json
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TextIO


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


def _handler(notes: TextIO, lock: threading.Lock) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            at = time.time()
            message = json.loads(body)["data"]["message_id"]
            with lock:
                notes.write(f"{message} {at:.6f}\n")
                notes.flush()
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            """Silence."""

    return Handler


def main(path: Path) -> None:
    """Serve until killed."""
    with path.open("a") as notes:
        server = _Server(("127.0.0.1", 0), _handler(notes, threading.Lock()))
        server.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        print(server.server_address[1], flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
