"""What goes over the wire: numbered, timed messages, and the client's half of RFC 6455 by hand.

Standard library only. A message begins with "#<number> <nanoseconds>": the number of this message
to this person, and CLOCK_MONOTONIC when it was sent, so the receiver checks and times each one.
"""

import base64
import hashlib
import os

_FILLER = "Your order has been handed to the courier and will be with you tomorrow before noon."
NUMBER = b'"message":"#'
NUMBER_DIGITS = 8
TIME_DIGITS = 20

_KEY = base64.b64encode(os.urandom(16))
_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
ACCEPTED = base64.b64encode(hashlib.sha1(_KEY + _MAGIC, usedforsecurity=False).digest())
_UNMASKED = bytes(4)  # a mask of zeros is one of the allowed, and costs nobody anything


def message_text(number: int, at_ns: int) -> str:
    """A text of 114 characters."""
    return f"#{number:0{NUMBER_DIGITS}d} {at_ns:0{TIME_DIGITS}d} {_FILLER}"


def notification_id(person: int, number: int) -> str:
    """A UUID of its own for each message."""
    return f"01933f6e-0000-7000-8{person:03x}-{number:012x}"


def push_frame(person: int, number: int, at_ns: int) -> str:
    """The JSON of one `notification.push`, member by member as our server makes it."""
    return (
        '{"type":"notification.push","data":{"notification_id":'
        f'"{notification_id(person, number)}","stream_id":"1764000000000-0",'
        f'"message":"{message_text(number, at_ns)}","created_at":"2026-11-22T05:00:00.000000Z",'
        '"source":"bench","status":"unread","read":false,'
        '"expires_at":"2026-11-22T05:15:00.000000Z","priority":2,"edition":1}}'
    )


def upgrade(host: str, path: str) -> bytes:
    """The request that opens a WebSocket, without extensions."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {_KEY.decode()}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


def client_frame(opcode: int, payload: bytes) -> bytes:
    """One final frame of at most 64 kB."""
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | opcode, 0x80 | size))
    else:
        head = bytes((0x80 | opcode, 0xFE)) + size.to_bytes(2, "big")
    return head + _UNMASKED + payload


def read_frame(notification_id: bytes, stream_id: bytes) -> bytes:
    """The frame that says: I have read it."""
    return client_frame(
        0x1,
        b'{"type":"notification.read","data":{"notification_id":"%b","stream_id":"%b"}}'
        % (notification_id, stream_id),
    )


def field(frame: bytes, name: bytes) -> bytes:
    """The value of a string member of a JSON text, found by its name; b"" if there is none."""
    start = frame.find(b'"' + name + b'":"')
    if start < 0:
        return b""
    start += len(name) + 4
    return frame[start : frame.index(b'"', start)]
