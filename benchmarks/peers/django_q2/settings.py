"""The smallest Django project that runs stock django-q2, on its Redis or its ORM broker."""

import os

SECRET_KEY = "benchmark"
USE_TZ = True
INSTALLED_APPS = ["django.contrib.contenttypes", "django_q"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["BENCH_DATABASE"],
        "USER": os.environ["BENCH_DATABASE_USER"],
        "HOST": os.environ["BENCH_DATABASE_HOST"],
        "CONN_MAX_AGE": None,
    }
}
Q_CLUSTER = {
    "name": "bench",
    "workers": int(os.environ.get("BENCH_WORKERS", "2")),
    "retry": 3600,  # the default of 60 s would repeat jobs that wait in the cluster
}
if os.environ["BENCH_TUNED"] == "1":
    Q_CLUSTER |= {
        "save_limit": -1,
        "recycle": 10_000_000,
        "queue_limit": 500,
        "bulk": 200,  # only the ORM broker takes notice
        "log_level": "WARNING",
    }
if os.environ["BENCH_BROKER"] == "orm":
    Q_CLUSTER["orm"] = "default"
else:
    Q_CLUSTER["redis"] = os.environ["BENCH_REDIS_URL"]
