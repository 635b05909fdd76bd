"""How the audit log tells what people do to the job platform."""

from jobs.auditing import Listed, words_register

words_register(
    {
        "jobs.cancel": "cancelled",
        "jobs.retry": "told to run now",
        "jobs.replay": "replayed",
        "jobs.discard": "discarded",
        "jobs.reprioritize": "changed the priority of",
        "jobs.bulk_cancel": "cancelled many",
        "jobs.bulk_retry": "told many to run now:",
        "jobs.bulk_replay": "replayed many",
        "jobs.bulk_discard": "discarded many",
        "jobs.bulk_reprioritize": "changed the priority of many",
        "queues.pause": "paused",
        "queues.resume": "resumed",
        "schedules.run": "ran now",
        "schedules.pause": "paused",
        "schedules.resume": "resumed",
        "schedules.retime": "changed the time of",
        "breakers.open": "opened",
        "breakers.close": "closed",
        "workers.run": "set to work again",
        "workers.quiet": "quieted",
        "workers.terminate": "told to stop",
    },
    things={
        "queue": Listed("jobs_queue"),
        "schedule": Listed("jobs_scheduleentry"),
        "breaker": Listed("jobs_breaker"),
        "worker": Listed("jobs_worker"),
    },
)
