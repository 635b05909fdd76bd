"""Rules as people see them."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, Q, Subquery

from monitoring.files.actions import action_find
from monitoring.files.models import FileBatch, Rule, WatchedFile
from monitoring.files.selectors.watchers import silence

PAGE = 50
TROUBLES = 20
PAUSED, AWAY, WATCHED, UNWATCHED = "paused", "away", "watched", "unwatched"
CONDITIONS = {
    WATCHED: "a watcher watches it",
    UNWATCHED: "no watcher runs",
    AWAY: "its directory cannot be watched",
    PAUSED: "a person has paused it",
}


# Ids of batches grow with time, so the newest of a rule is at the end of an index.
_LAST = Subquery(
    FileBatch.objects.filter(rule=OuterRef("pk")).order_by("-id").values("created_at")[:1]
)


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule; condition: one of CONDITIONS."""

    rule: Rule
    condition: str
    action: str  # its title
    last_batch_at: datetime | None


def rules_page(
    *, wanted: str = "", condition: str = "", action: str = "", after: int | None = None
) -> tuple[list[RuleView], int | None]:
    """Rules, newest first, and where the next page starts. Four queries at most."""
    unwatched = silence() is not None
    rules = Rule.objects.order_by("-id")
    if wanted:
        rules = rules.filter(Q(name__icontains=wanted) | Q(directory__icontains=wanted))
    if action:
        rules = rules.filter(action=action)
    if condition == PAUSED:
        rules = rules.exclude(paused_at=None)
    elif condition == AWAY:
        rules = rules.filter(paused_at=None).exclude(problem="")
    elif condition in {WATCHED, UNWATCHED}:
        rules = rules.filter(paused_at=None)
        if condition == WATCHED:
            rules = rules.filter(problem="")
        if unwatched == (condition == WATCHED):
            rules = rules.none()
    if after is not None:
        rules = rules.filter(pk__lt=after)
    found = list(rules.annotate(last_batch_at=_LAST)[: PAGE + 1])
    views = [_view(rule, unwatched, rule.last_batch_at) for rule in found[:PAGE]]
    return views, found[PAGE - 1].pk if len(found) > PAGE else None


def rule_view(rule: Rule) -> RuleView:
    """One rule. Four queries at most."""
    last = FileBatch.objects.filter(rule=rule).order_by("-id").first()
    return _view(rule, silence() is not None, last.created_at if last else None)


def _view(rule: Rule, unwatched: bool, last_at: datetime | None) -> RuleView:
    action = action_find(rule.action)
    return RuleView(
        rule, condition_of(rule, unwatched), action.title if action else rule.action, last_at
    )


def condition_of(rule: Rule, unwatched: bool) -> str:
    """How a rule stands, the worst first."""
    if rule.paused_at is not None:
        return PAUSED
    if unwatched:
        return UNWATCHED
    return AWAY if rule.problem else WATCHED


def rule_troubles(rule: Rule) -> list[WatchedFile]:
    """Files of a rule that are not taken, the latest first. One query."""
    found = WatchedFile.objects.filter(rule=rule, state__in=["unreadable", "refused"])
    return list(found.order_by("-id")[:TROUBLES])
