"""Bodies of a panel, of the shape that the contract shows. Names, links and secrets are made up."""

import copy
from typing import Any

SECRETS = ("Qw7xN2pLk9ZbV4tRs8HyC3mJd6FgA1eU", "3f1e8a52-7b0c-4d9e-8f61-52a0b9c7d4e1")

USER: dict[str, Any] = {
    "id": 1042,
    "shortUuid": "k3Vd9XfQmB7tRw2A",
    "username": "tg_500100201",
    "status": "ACTIVE",
    "trafficLimitBytes": 107374182400,
    "trafficLimitStrategy": "MONTH",
    "expireAt": "2026-12-18T09:30:00.000Z",
    "telegramId": 5001002010001,
    "email": None,
    "description": "Plan: PRO 3m",
    "tag": "PRO",
    "hwidDeviceLimit": 5,
    "externalSquadUuid": None,
    "trojanPassword": SECRETS[0],
    "vlessUuid": SECRETS[1],
    "ssPassword": SECRETS[0],
    "lastTriggeredThreshold": 0,
    "subRevokedAt": None,
    "lastTrafficResetAt": "2026-11-01T00:20:04.118Z",
    "createdAt": "2026-03-18T09:30:00.000Z",
    "updatedAt": "2026-11-20T11:58:41.207Z",
    "subscriptionUrl": "https://sub.example.net/k3Vd9XfQmB7tRw2A",
    "activeInternalSquads": [
        {"uuid": "5b1f0d8e-7c0a-4f4e-9a41-2f6d5f0c7a11", "name": "Default-Squad"}
    ],
    "userTraffic": {
        "usedTrafficBytes": 38654705664,
        "lifetimeUsedTrafficBytes": 412316860416,
        "onlineAt": "2026-11-20T11:59:45.000Z",
        "firstConnectedAt": "2026-03-18T09:41:12.530Z",
        "lastConnectedNodeUuid": "7f0b2c6a-3d51-4b8e-9c1f-0a1b2c3d4e01",
    },
}
UUID_OF_V2 = "0b9f1c2d-3e4f-4a5b-8c6d-7e8f9a0b1c2d"

NODE: dict[str, Any] = {
    "uuid": "7f0b2c6a-3d51-4b8e-9c1f-0a1b2c3d4e01",
    "id": 1,
    "name": "NL-Amsterdam-1",
    "address": "nl1.example.net",
    "port": 2222,
    "proxyUrl": None,
    "isConnected": True,
    "isDisabled": False,
    "isConnecting": False,
    "lastStatusChange": "2026-11-18T03:12:40.000Z",
    "lastStatusMessage": None,
    "isTrafficTrackingActive": True,
    "trafficResetDay": 1,
    "trafficLimitBytes": 21990232555520,
    "trafficUsedBytes": 5497558138880,
    "notifyPercent": 80,
    "viewPosition": 1,
    "countryCode": "NL",
    "consumptionMultiplier": 1,
    "nodeConsumptionMultiplier": 1,
    "tags": ["EU", "PREMIUM"],
    "integrationUuids": [],
    "ips": [{"ip": "198.51.100.10", "status": "INBOUND"}],
    "createdAt": "2026-01-05T10:00:00.000Z",
    "updatedAt": "2026-11-20T11:59:50.000Z",
    "configProfile": {
        "activeConfigProfileUuid": "a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d",
        "activeInbounds": [{"tag": "VLESS_REALITY_TCP", "type": "vless", "port": 443}],
    },
    "providerUuid": None,
    "provider": {"uuid": "d4e5f6a7-b8c9-4d0e-9f2a-3b4c5d6e7f80", "name": "Example Hosting"},
    "activePluginUuid": None,
    "system": {
        "info": {"arch": "x64", "cpus": 4, "memoryTotal": 8323272704, "hostname": "nl1"},
        "stats": {
            "memoryFree": 5033164800,
            "memoryUsed": 3290107904,
            "uptime": 1822031.5,
            "loadAvg": [0.42, 0.37, 0.31],
            "interface": {"rxBytesPerSec": 15728640, "txBytesPerSec": 14155776},
        },
    },
    "versions": {"xray": "26.10.1", "node": "3.4.0"},
    "xrayUptime": 204432,
    "usersOnline": 187,
    "note": "10G uplink",
}

STATS: dict[str, Any] = {
    "cpu": {"cores": 4},
    "memory": {"total": 8323272704, "free": 3221225472, "used": 5102047232},
    "uptime": 1822031.51,
    "timestamp": 1795176000000,
    "users": {
        "statusCounts": {"ACTIVE": 861, "DISABLED": 31, "LIMITED": 27, "EXPIRED": 124},
        "totalUsers": 1043,
    },
    "onlineStats": {"lastDay": 702, "lastWeek": 815, "neverOnline": 64, "onlineNow": 243},
    "nodes": {"totalOnline": 243, "totalBytesLifetime": "184467440737095516"},
}

BANDWIDTH: dict[str, Any] = {
    "categories": ["2026-11-18", "2026-11-19", "2026-11-20"],
    "sparklineData": [1443122931302, 1546188226560, 701005357056],
    "topNodes": [],
    "series": [
        {
            "uuid": "8a1c3d7b-4e62-4c9f-8d20-1b2c3d4e5f02",
            "color": "#f783ac",
            "name": "DE-Frankfurt-1",
            "countryCode": "DE",
            "total": 1224065679360,
            "data": [612032839680, 612032839680, 0],
        }
    ],
}

METADATA_V3 = {"version": "3.3.2", "build": {}, "git": {}}
METADATA_V28 = {"version": "2.8.1", "build": {}, "git": {}}
METADATA_V27 = {"version": "2.7.4", "build": {}, "git": {}}


def user(**changes: Any) -> dict[str, Any]:
    """A user with some fields changed."""
    return copy.deepcopy(USER) | changes


def user_v2(**changes: Any) -> dict[str, Any]:
    """The same as a panel of v2 sends it."""
    return {"uuid": UUID_OF_V2} | user(**changes)


def business_error(code: str, message: str, path: str = "/api/users") -> dict[str, Any]:
    """What the panel says when a rule forbids it."""
    at = "2026-11-20T12:00:00.000Z"
    return {"timestamp": at, "path": path, "message": message, "errorCode": code}


def validation_error(*path: str) -> dict[str, Any]:
    """What the panel says of input that it does not understand."""
    issue = {"code": "invalid_type", "path": list(path), "message": "Invalid input"}
    return {"statusCode": 400, "message": "Validation failed", "errors": [issue]}


def no_route(method: str, path: str) -> dict[str, Any]:
    """What the panel says of a path that it does not have."""
    return {"message": f"Cannot {method} {path}", "error": "Not Found", "statusCode": 404}
