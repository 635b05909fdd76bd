"""Batches in requests: each item stands by itself and has its own answer (207)."""

from typing import Any

from lib.errors import DomainError, InputInvalid


def items_read(body: Any, name: str, most: int) -> list[Any]:
    """The items of a batch: a bare list, or an object with it. Raises InputInvalid."""
    items = body.get(name, body.get("items")) if isinstance(body, dict) else body
    if not isinstance(items, list) or len(items) > most:
        why = f"must be a list of at most {most}"
        raise InputInvalid(f"{name} {why}", errors=[{"field": name, "message": why}])
    return items


def refusal_item(exc: DomainError) -> dict[str, Any]:
    """A refusal as the item of a batch."""
    return {"status": exc.status, "code": exc.code, "detail": exc.message, **exc.extra}
