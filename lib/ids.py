"""Identifiers that grow with time (UUID version 7, RFC 9562), so that the key of a table is its age."""

from uuid import UUID

import uuid_utils


def uuid7() -> UUID:
    """A new identifier; later ones of this process sort after earlier ones."""
    return UUID(int=uuid_utils.uuid7().int)
