"""The peers: how each is started at its best for two worker processes, and what it promises.

Tuned means: documented settings only, chosen by trying them on a two-core machine; promises stay
as strict as they ship. `shipped` is the plain command of its guide, for comparison.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from benchmarks.servers import Servers


@dataclass(frozen=True, slots=True)
class Command:
    """A command line with {workers} in it, or one to be started per worker, with {number}."""

    line: str
    per_worker: bool = False

    def argvs(self, workers: int) -> list[list[str]]:
        """One list of arguments per process to start."""
        return [
            self.line.format(workers=workers, number=number).split()
            for number in range(workers if self.per_worker else 1)
        ]


@dataclass(frozen=True, slots=True)
class Peer:
    """One product and one broker. The folder under peers/ holds its app and its client."""

    name: str
    folder: str
    packages: tuple[str, ...]
    promise: str
    settings: str
    tuned: Command
    shipped: Command
    left: Callable[[Servers], int]  # jobs that wait or are not acknowledged
    env: Mapping[str, str] = field(default_factory=dict)
    tuned_env: Mapping[str, str] = field(default_factory=dict)
    has_bulk: bool = False
    in_redis: bool = True
    pilot_jobs: int = 10_000
    shipped_jobs: int = 10_000  # some seconds of work as shipped


def peers() -> tuple[Peer, ...]:
    """All peers, in the order in which they are measured."""
    return (_TASKIQ, _HUEY, _DRAMATIQ, _CELERY, _Q2_REDIS, _Q2_ORM)


def _redis(servers: Servers, *command: str) -> int:
    with servers.redis() as client:
        return int(client.execute_command(*command))


def _left_in_stream(servers: Servers) -> int:
    """Read but not acknowledged, plus 1 if anything is unread (Redis 6.2 does not count those)."""
    with servers.redis() as client:
        [group] = client.xinfo_groups("taskiq")
        after = f"({group['last-delivered-id'].decode()}"
        unread = client.xrange("taskiq", min=after, count=1)
    return int(group["pending"]) + len(unread)


def _left_in_orm(servers: Servers) -> int:
    with servers.postgres() as connection:
        row = connection.execute("SELECT count(*) FROM django_q_ormq").fetchone()
    assert row is not None
    return int(row[0])


_TASKIQ = Peer(
    name="taskiq",
    folder="taskiq_streams",
    packages=("taskiq", "taskiq-redis", "redis", "uvloop", "orjson"),
    promise=(
        "Redis Streams; at least once: acknowledged after the run, messages of a dead worker "
        "are claimed again after 10 idle minutes; a crash of Redis may lose a second."
    ),
    settings="2 processes, coroutine task, uvloop, orjson, 10 tasks at once, 500 prefetched.",
    tuned=Command(
        "taskiq worker app:broker --workers {workers} --log-level WARNING "
        "--max-async-tasks 10 --max-prefetch 500"
    ),
    shipped=Command("taskiq worker app:broker --workers {workers}"),
    left=_left_in_stream,
    has_bulk=True,
)
_HUEY = Peer(
    name="huey",
    folder="huey",
    packages=("huey", "redis"),
    promise=(
        "Redis list; at most once: BRPOP takes the message before the run, a killed worker loses "
        "it; a crash of Redis may lose a second."
    ),
    settings="2 consumer processes of 4 threads, no results, no periodic tasks.",
    tuned=Command("huey_consumer app.huey -k thread -w 4 -n -q", per_worker=True),
    shipped=Command("huey_consumer app.huey -k process -w {workers}"),
    left=lambda servers: _redis(servers, "LLEN", "huey.redis.bench"),
)
_DRAMATIQ = Peer(
    name="dramatiq",
    folder="dramatiq",
    packages=("dramatiq", "redis"),
    promise=(
        "Redis hash and list; at least once: acknowledged after the run, messages of a dead worker "
        "are requeued after a minute; a crash of Redis may lose a second."
    ),
    settings="2 processes of 4 threads, 128 prefetched, default middleware.",
    tuned=Command("dramatiq app --processes {workers} --threads 4"),
    tuned_env={"dramatiq_queue_prefetch": "128"},
    shipped=Command("dramatiq app --processes {workers}"),
    left=lambda servers: _redis(servers, "HLEN", "dramatiq:default.msgs"),
)
_CELERY = Peer(
    name="celery",
    folder="celery",
    packages=("celery", "kombu", "redis"),
    promise=(
        "Redis list; acknowledged when a worker takes the job over, as it ships: a job that was "
        "running or prefetched when its worker was killed may be lost; a crash of Redis may lose "
        "a second."
    ),
    settings=(
        "2 workers with the solo pool, 64 prefetched, no results, rate limits, remote control, "
        "gossip, mingle or heartbeat."
    ),
    tuned=Command(
        "celery --app app worker --hostname w{number}@bench --pool solo --loglevel WARNING "
        "--without-gossip --without-mingle --without-heartbeat",
        per_worker=True,
    ),
    shipped=Command("celery --app app worker --concurrency {workers}"),
    left=lambda servers: _redis(servers, "LLEN", "celery") + _redis(servers, "HLEN", "unacked"),
    pilot_jobs=3000,
    shipped_jobs=4000,
)


_QCLUSTER = Command("python -m django qcluster --settings settings")

_Q2_REDIS = Peer(
    name="django-q2 redis",
    folder="django_q2",
    packages=("django-q2", "Django", "redis"),
    promise=(
        "Redis list; at most once: BLPOP takes the message before the run, a killed worker loses "
        "it and what its cluster has prefetched; a crash of Redis may lose a second."
    ),
    settings="2 workers, save_limit -1, no recycling, queue_limit 500, log WARNING.",
    env={"BENCH_BROKER": "redis"},
    tuned=_QCLUSTER,
    shipped=_QCLUSTER,
    left=lambda servers: _redis(servers, "LLEN", "django_q:bench:q"),
    shipped_jobs=2000,  # beyond the 500 jobs after which a worker is replaced
)
_Q2_ORM = Peer(
    name="django-q2 orm",
    folder="django_q2",
    packages=("django-q2", "Django", "psycopg"),
    promise="PostgreSQL row; at least once: deleted after the run, given again after `retry`.",
    settings="2 workers, save_limit -1, no recycling, queue_limit 500, bulk 200, log WARNING.",
    env={"BENCH_BROKER": "orm"},
    tuned=_QCLUSTER,
    shipped=_QCLUSTER,
    left=_left_in_orm,
    in_redis=False,
    pilot_jobs=600,
    shipped_jobs=1200,
)
