"""The rows of the broadcasts. Numbers change only together with the ledger rows they count."""

from notifications.broadcasts.models.audience import Audience, AudienceMember
from notifications.broadcasts.models.broadcast import Broadcast, Channel, Phase, Status
from notifications.broadcasts.models.ledger import Fate, LedgerRow, Tally
from notifications.broadcasts.models.upload import Upload, UploadChunk

__all__ = [
    "Audience",
    "AudienceMember",
    "Broadcast",
    "Channel",
    "Fate",
    "LedgerRow",
    "Phase",
    "Status",
    "Tally",
    "Upload",
    "UploadChunk",
]
