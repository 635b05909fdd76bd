"""A receiver of webhooks that verifies and prints them: python3 webhook-receiver.py whsec_... [port]

Only the standard library; the rules are in docs/webhooks.md.
"""

import base64
import hashlib
import hmac
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FRESH_S = 300
seen: set[str] = set()  # a real one keeps them in its database, with what it did


def verify(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Whether a request is ours and fresh. headers: names in small letters."""
    sent_at = int(headers["webhook-timestamp"])
    if abs(time.time() - sent_at) > FRESH_S:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{headers['webhook-id']}.{sent_at}.".encode() + body
    expected = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    parts = (part.partition(",") for part in headers["webhook-signature"].split())
    return any(
        version == "v1" and hmac.compare_digest(expected, given) for version, _, given in parts
    )


class Receiver(BaseHTTPRequestHandler):
    """Answers 204 at once, also to what it has seen before; 401 to what is not ours."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            is_ours = verify(sys.argv[1], headers, body)
        except (KeyError, ValueError):
            is_ours = False
        self.send_response(204 if is_ours else 401)
        self.end_headers()
        if is_ours and headers["webhook-id"] not in seen:
            seen.add(headers["webhook-id"])
            print(headers["webhook-id"], body.decode(), flush=True)


if __name__ == "__main__":
    address = ("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 9000)
    with ThreadingHTTPServer(address, Receiver) as server:
        print(f"listening at http://127.0.0.1:{server.server_address[1]}/", flush=True)
        server.serve_forever()
