"""The link of a file: whoever holds it may download until its time is over or it is revoked.

It is signed with SECRET_KEY and names one export, one version of its link and its end; nothing else is
needed, so it works without a login, and in Telegram.
"""

from uuid import UUID

from django.conf import settings
from django.core import signing

from lib import clock
from reports.exports.errors import LinkDead
from reports.exports.models import Export, ExportState

_SALT = "exports.link"


def link_token(export: Export) -> str:
    """The signed part of the link of a done export; the same text each time until it is revoked."""
    assert export.expires_at is not None, "a done export has an end"
    body = [export.pk.hex, export.link_version, int(export.expires_at.timestamp())]
    return signing.Signer(salt=_SALT).sign_object(body)


def link_of(export: Export, *, to_file: bool = False) -> str:
    """The whole address: of the page that says what it is, or of the file itself. Empty without a file."""
    if export.state != ExportState.DONE:
        return ""
    page = f"{settings.SITE_URL}/exports/{link_token(export)}"
    return f"{page}/file" if to_file else page


def link_open(token: str) -> Export:
    """The export of a link. Raises LinkDead, whatever is wrong with it."""
    try:
        key, version, ends = signing.Signer(salt=_SALT).unsign_object(token)
        export = Export.objects.filter(pk=UUID(hex=key), link_version=version).first()
    except (signing.BadSignature, ValueError, TypeError, AttributeError):
        raise LinkDead from None
    now = clock.now()
    if export is None or export.state != ExportState.DONE or now.timestamp() >= ends:
        raise LinkDead
    if export.expires_at is None or now >= export.expires_at:
        raise LinkDead
    return export
