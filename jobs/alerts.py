"""Telling people: whatever needs a person announces it here, and whoever can reach people listens."""

from uuid import UUID

from django.dispatch import Signal

from jobs.registry import kind_find

# Sent in the transaction of what happened; receivers only write rows. group: things that one message
# may tell together; title and text are for people; severity: critical or warning; link: a path.
attention_needed = Signal()


def attention(
    *, group: str, title: str, text: str = "", severity: str = "warning", link: str = ""
) -> None:
    """Announce that a person must look."""
    attention_needed.send(None, group=group, title=title, text=text, severity=severity, link=link)


def job_died(*, kind_name: str, job_id: UUID, error: str) -> None:
    """A job gave up. Told at once for critical kinds; the others wait in the console."""
    kind = kind_find(kind_name)
    if kind is None or not kind.critical:
        return
    attention(
        group=f"dead:{kind_name}",
        title=f"{kind_name} gave up",
        text=error.strip().rsplit("\n", 1)[-1][:500],
        severity="critical",
        link=f"/admin/jobs/jobrecord/{job_id}/change/",
    )
