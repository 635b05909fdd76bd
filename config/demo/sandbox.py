"""Orders to the sandbox: what people and operators of outside services do, played by the demo."""

from typing import Any

import requests
from django.conf import settings

TIMEOUT_S = 10.0


def order(method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """One control call, below /_sandbox/. Raises requests' errors."""
    answer = requests.request(method, f"{base()}/_sandbox/{path}", json=body, timeout=TIMEOUT_S)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def base() -> str:
    """The address of the sandbox, told by the panel that it plays."""
    return str(settings.REMNAWAVE_URL).removesuffix("/remnawave")
