"""Random faults against two clusters and their servers, from one seed.

At most one cluster is hurt at a time, and it is whole again before its next wound, so that there is
always somebody who takes over and no lease may be kept past its end.
"""

import os
import random
import signal
from collections import Counter
from collections.abc import Callable

from config import embedded
from tests.processes.cluster import Cluster
from tests.processes.site import Site
from tests.processes.waiting import until

WHOLE_S = 90.0
# How often each process is chosen: workers die most often, and in the most ways.
ROLES = {"worker": 10, "pusher": 3, "monitor": 1, "sentinel": 2, "parent": 1}


class Storm:
    """`start` makes a cluster of a name; `seed` decides who is struck, chance decides when."""

    def __init__(self, site: Site, start: Callable[[str], Cluster], seed: int) -> None:
        self.site = site
        self.start = start
        self.random = random.Random(seed)
        self.clusters = [start("storm-1"), start("storm-2")]
        self.struck: Counter[str] = Counter()

    def kill(self) -> str:
        """SIGKILL a random process; a parent gets an heir. Returns who it was."""
        role = self.random.choices(list(ROLES), list(ROLES.values()))[0]
        place = self.random.randrange(2)
        cluster = self._whole(place)
        if role == "parent":
            os.kill(cluster.pid, signal.SIGKILL)
            self._replace(place)
        else:
            self._signal(cluster, role, signal.SIGKILL)
        return self._note(f"SIGKILL {role}")

    def freeze(self) -> str:
        """SIGSTOP a worker; the watchdog will kill it."""
        self._signal(self._whole(self.random.randrange(2)), "worker", signal.SIGSTOP)
        return self._note("SIGSTOP worker")

    def roll(self) -> str:
        """SIGTERM a cluster and start another in its place, as a deploy does."""
        place = self.random.randrange(2)
        self._whole(place).stop()
        self._replace(place)
        return self._note("SIGTERM and a new start")

    def flush(self) -> str:
        """Empty Redis."""
        with self.site.redis() as client:
            client.flushall()
        return self._note("FLUSHALL")

    def bounce_redis(self) -> str:
        """Take Redis away for as long as a cluster needs to notice."""
        with self.site.without_redis():
            self._whole(self.random.randrange(2))
        return self._note("Redis away")

    def drop_connections(self) -> str:
        """End all connections to Postgres but our own."""
        self.site.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            " AND application_name = 'switchboard'"
        )
        return self._note("connections dropped")

    def bounce_postgres(self) -> str:
        """Restart Postgres, as an operator or as a crash does."""
        mode = self.random.choice(["fast", "immediate"])
        embedded.restart_postgres(self.site.data_dir, "fast" if mode == "fast" else "immediate")
        return self._note(f"Postgres {mode}")

    def calm(self) -> None:
        """Wait until both clusters are whole."""
        for place in range(2):
            self._whole(place)

    def _whole(self, place: int) -> Cluster:
        cluster = self.clusters[place]
        until(cluster.is_whole, f"{cluster.name} is whole; {cluster.tail()}", WHOLE_S)
        return cluster

    def _replace(self, place: int) -> None:
        self.clusters[place].assert_gone()
        self.clusters[place] = self.start(self.clusters[place].name)

    def _signal(self, cluster: Cluster, role: str, number: int) -> None:
        pids = cluster.roles().get(role)
        if pids:  # it may have been recycled in this very moment
            os.kill(self.random.choice(pids), number)

    def _note(self, what: str) -> str:
        self.struck[what] += 1
        return what
