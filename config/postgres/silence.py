"""Whether a server has said something that nobody has read: the end of a connection is such a word."""

import select


def is_silent(number: int) -> bool:
    """Is there nothing to read on this file number? Not by `select`, which knows none above 1023."""
    waiting = select.poll()
    waiting.register(number, select.POLLIN)
    return not waiting.poll(0)
