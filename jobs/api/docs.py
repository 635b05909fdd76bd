"""What all operations say about themselves in the OpenAPI document."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse

_PROBLEM = {"$ref": "#/components/schemas/Problem"}


def refusals(**reasons: str) -> dict[Any, OpenApiResponse]:
    """Responses with a problem body, by status: refusals(s409="fenced: ...", s410="gone: ...")."""
    return {
        (int(name[1:]), "application/problem+json"): OpenApiResponse(_PROBLEM, description=reason)
        for name, reason in reasons.items()
    }


FENCED = "`fenced`: the lease has passed on, or this is not its token; nothing was changed"
GONE = "`gone`: the job has ended by another way; nothing was changed"
