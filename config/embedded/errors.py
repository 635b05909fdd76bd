"""What can go wrong, as one sentence for the person at the terminal."""


class ServersUnavailable(RuntimeError):
    """The embedded servers cannot be had. The message says why and what to do about it."""
