"""What a library would hand to async_task(): plain functions that know nothing of us."""


def add(left: int, right: int) -> int:
    return left + right


def fail(text: str) -> None:
    raise RuntimeError(text)
