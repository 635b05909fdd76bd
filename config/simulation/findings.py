"""What a check hands back."""

from dataclasses import dataclass, field

ROWS_SHOWN = 8


@dataclass(slots=True)
class Finding:
    """One line of the ledger: what must hold, of how many, and every row that breaks it."""

    what: str
    seen: int = 0
    offending: list[str] = field(default_factory=list)

    def expect(self, is_so: bool, otherwise: str) -> None:
        """Count one row; keep what it says unless it is as it must be."""
        self.seen += 1
        if not is_so:
            self.offending.append(otherwise)

    @property
    def is_balanced(self) -> bool:
        return not self.offending
