"""Whether a server has said something, for sockets of any number."""

import fcntl
import os
import resource
import socket
from collections.abc import Iterator

import pytest

from config.postgres.silence import is_silent


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    here, there = socket.socketpair()
    with here, there:
        yield here, there
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("least", [0, 1024], ids=["few sockets", "a thousand sockets"])
def test_a_word_and_an_end_are_heard(pair: tuple[socket.socket, socket.socket], least: int) -> None:
    here, there = pair
    number = fcntl.fcntl(here.fileno(), fcntl.F_DUPFD, least)
    try:
        assert is_silent(number)
        there.sendall(b"terminating connection")
        assert not is_silent(number)
        os.read(number, 100)
        assert is_silent(number)
        there.close()
        assert not is_silent(number)
    finally:
        os.close(number)
