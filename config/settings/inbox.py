"""The inbox: what is written, what is pushed, and how much of both."""

from config import env

# Keys of the inbox are read by outsiders under the names of their contract, so the prefix is empty
# unless somebody shares the Redis.
_PREFIX = env.text("REDIS_PREFIX", "")
INBOX_REDIS_PREFIX = f"{_PREFIX}:" if _PREFIX else ""

INBOX_TTL = env.span("INBOX_TTL", "15m")  # unread for longer is cleared, unless a request says else
INBOX_MAX_TARGETS = env.integer("INBOX_MAX_TARGETS", 10_000, least=1, most=100_000)
INBOX_MAX_WAITING = env.integer("INBOX_MAX_WAITING", 2_000, least=1)  # requests; more are refused

WS_ORIGINS = env.words("WS_ORIGINS")  # empty: the host that serves the page
WS_MAX_CONNECTIONS = env.integer("WS_MAX_CONNECTIONS", 20_000, least=1)  # of one process
WS_MAX_PER_USER = env.integer("WS_MAX_PER_USER", 20, least=1)  # of one process
WS_MAX_FRAMES = env.integer("WS_MAX_FRAMES", 50, least=1)  # per second and socket
WS_MAX_FRAME_BYTES = env.integer("WS_MAX_FRAME_BYTES", 64 * 1024, least=1024)
WS_MAX_QUEUE_BYTES = env.integer("WS_MAX_QUEUE_BYTES", 1024 * 1024, least=64 * 1024)  # per socket
WS_PING = env.span("WS_PING", "25s")
WS_TICKET_TTL = env.span("WS_TICKET_TTL", "15s")
