"""A line to Redis that can be cut without anybody being told, as a dead switch between two hosts does."""

import select
import socket
import threading

from config import embedded
from tests.processes.site import Site


class Line:
    """`address` is what a process is given as REDIS_URL. Cut, it lets no byte through and loses none."""

    def __init__(self, site: Site) -> None:
        self._path = embedded.redis_url(site.data_dir).split("://", 1)[1].split("?", 1)[0]
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"
        self._whole = threading.Event()
        self._whole.set()
        self._is_over = False
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._whole.clear()

    def mend(self) -> None:
        self._whole.set()

    def close(self) -> None:
        self._is_over = True
        self._whole.set()
        self._listener.close()
        for pair in self._pairs:
            for end in pair:
                end.close()

    def _accept(self) -> None:
        while not self._is_over:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            far.connect(self._path)
            self._pairs.append((near, far))
            threading.Thread(target=self._carry, args=(near, far), daemon=True).start()

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        try:
            while not self._is_over:
                ready, _, _ = select.select([near, far], [], [], 0.2)
                self._whole.wait()
                for end in ready:
                    data = end.recv(65_536)
                    if not data:
                        return
                    (far if end is near else near).sendall(data)
        except (OSError, ValueError):
            return
        finally:
            near.close()
            far.close()
