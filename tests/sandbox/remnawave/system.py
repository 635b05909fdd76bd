"""/api/system: what panel this is, and its totals."""

from typing import Any

from tests.sandbox.remnawave.ask import Ask, ok
from tests.sandbox.remnawave.panel import Panel
from tests.sandbox.wire import Answer


def metadata(panel: Panel, ask: Ask) -> Answer:
    site = "https://example.com"
    return ok(
        {
            "version": panel.dialect.version,
            "build": {"time": "2026-08-20T03:05:00Z", "number": "412"},
            "git": {
                "backend": {
                    "commitSha": "347e6de1",
                    "branch": "main",
                    "commitUrl": f"{site}/backend/commit/347e6de1",
                },
                "frontend": {
                    "commitSha": "0a1b2c3d",
                    "commitUrl": f"{site}/frontend/commit/0a1b2c3d",
                },
            },
        }
    )


def health(panel: Panel, ask: Ask) -> Answer:
    """Metrics of the panel's processes; an empty list is a sound answer, too."""
    metrics: dict[str, Any] = {
        "rss": 351272960,
        "heapUsed": 121634816,
        "heapTotal": 165675008,
        "external": 8388608,
        "arrayBuffers": 1048576,
        "eventLoopDelayMs": 11.2,
        "eventLoopP99Ms": 18.9,
        "activeHandles": 24,
        "uptime": 86402.1,
        "pid": 31,
        "timestamp": panel.now_ms(),
        "instanceId": "0",
        "instanceType": "api",
    }
    return ok({"runtimeMetrics": [metrics]})


def configuration(panel: Panel, ask: Ask) -> Answer:
    settings = panel.settings
    return ok(
        {
            "notifications": {
                "webhook": bool(panel.webhooks.receivers.urls),
                "bandwidthUsage": list(settings.bandwidth_thresholds),
                "notConnectedAfter": [],
                "expirationNotifications": list(settings.expiration_hours),
            },
            "service": {
                "cleanUsageHistory": False,
                "disableUserUsageRecords": False,
                "disableSrhRecords": False,
                "exportToRedisStream": False,
            },
            "misc": {
                "shortUuidLength": 16,
                "subPublicDomain": "sub.example.net",
                "userUsageIgnoreBelowBytes": 0,
            },
        }
    )
