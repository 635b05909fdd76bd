"""Django with Channels and nothing else. BENCH_LAYER chooses between the two layers of its guide.

Capacity: with the default of 100 a layer drops messages without a word as soon as a process has some
hundred sockets; all sockets of a process share one channel of the core layer.
"""

import os

SECRET_KEY = "not-a-secret-of-anybody"
DEBUG = False
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["channels"]
ASGI_APPLICATION = "app.application"
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": {
            "pubsub": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "core": "channels_redis.core.RedisChannelLayer",
        }[os.environ["BENCH_LAYER"]],
        "CONFIG": {"hosts": [os.environ["BENCH_REDIS_URL"]], "capacity": 100_000},
    }
}
