"""Rules over REST: list, make, look, edit, delete; pause, resume, scan; the dry run."""

from dataclasses import asdict
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.docs import refusals
from monitoring.files.api.queries import CURSOR, number_read, word_read
from monitoring.files.api.shapes import (
    NEW_RULE,
    RULE,
    FileMatches,
    FileRule,
    FileRuleChange,
    FileRuleInput,
    FileRules,
    FileWatchers,
    rule_body,
)
from monitoring.files.drafts import FIELDS, RuleDraft
from monitoring.files.errors import RuleUnknown
from monitoring.files.models import Rule
from monitoring.files.selectors.matches import Matches, rule_matches
from monitoring.files.selectors.rules import CONDITIONS, rule_view, rules_page
from monitoring.files.selectors.watchers import silence, watchers_view
from monitoring.files.services import (
    rule_create,
    rule_delete,
    rule_edit,
    rule_pause,
    rule_resume,
    rule_scan,
)

VIEW = "files.view_rule"
TAGS = ["file-watch"]
_UNKNOWN = "`rule_unknown`"
_INVALID = "`invalid`, `invalid_rule`, `directory_refused`: says which field and why"
_SHOWN = OpenApiExample("A rule", RULE, response_only=True)
_ACTS = {"pause": rule_pause, "resume": rule_resume, "scan": rule_scan}


class FileRulesApi(APIView):
    """All rules."""

    required_permission: ClassVar = {"GET": VIEW, "POST": "files.add_rule"}

    @extend_schema(
        operation_id="file_rules",
        summary="List file rules",
        tags=TAGS,
        parameters=[
            OpenApiParameter("condition", str, enum=list(CONDITIONS)),
            OpenApiParameter("action", str),
            OpenApiParameter("q", str, description="Part of a name or directory."),
            CURSOR,
        ],
        responses={200: FileRules, **refusals(s422="`invalid`: a parameter")},
    )
    def get(self, request: Request) -> Response:
        given = request.query_params
        views, after = rules_page(
            wanted=given.get("q", "").replace("\x00", ""),
            condition=word_read(given, "condition", list(CONDITIONS)),
            action=given.get("action", "").replace("\x00", ""),
            after=number_read(given, "cursor"),
        )
        items = [FileRule(rule_body(view)).data for view in views]
        return Response({"items": items, "next_cursor": None if after is None else str(after)})

    @extend_schema(
        operation_id="file_rule_create",
        summary="Make a file rule",
        description="A watcher takes it on within a second.",
        tags=TAGS,
        request=FileRuleInput,
        responses={201: FileRule, **refusals(s409="`rule_name_taken`", s422=_INVALID)},
        examples=[OpenApiExample("Tell a chat", NEW_RULE, request_only=True), _SHOWN],
    )
    def post(self, request: Request) -> Response:
        rule = rule_create(RuleDraft(**_given(request)), by=request.user)
        return Response(FileRule(rule_body(rule_view(rule))).data, status=201)


class FileRuleApi(APIView):
    """One rule."""

    required_permission: ClassVar = {
        "GET": VIEW,
        "PATCH": "files.change_rule",
        "DELETE": "files.delete_rule",
    }

    @extend_schema(
        operation_id="file_rule",
        summary="Look at a file rule",
        tags=TAGS,
        responses={200: FileRule, **refusals(s404=_UNKNOWN)},
        examples=[_SHOWN],
    )
    def get(self, request: Request, rule_id: int) -> Response:
        return Response(FileRule(rule_body(rule_view(_get(rule_id)))).data)

    @extend_schema(
        operation_id="file_rule_edit",
        summary="Edit a file rule",
        description="What is left out stays as it is; options are replaced as a whole.",
        tags=TAGS,
        request=FileRuleChange,
        responses={
            200: FileRule,
            **refusals(s404=_UNKNOWN, s409="`rule_changed`, `rule_name_taken`", s422=_INVALID),
        },
        examples=[OpenApiExample("Other patterns", {"patterns": ["*.tsv"]}, request_only=True)],
    )
    def patch(self, request: Request, rule_id: int) -> Response:
        rule = _get(rule_id)
        data = FileRuleChange(data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        given = dict(data.validated_data)
        version = given.pop("version", None)
        before = {name: getattr(rule, name) for name in FIELDS}
        draft = RuleDraft(**{**before, **given})
        edited = rule_edit(rule_id=rule_id, draft=draft, version=version, by=request.user)
        return Response(FileRule(rule_body(rule_view(edited))).data)

    @extend_schema(
        operation_id="file_rule_delete",
        summary="Delete a file rule",
        description="With its index and history; the files stay.",
        tags=TAGS,
        responses={204: None, **refusals(s404=_UNKNOWN)},
    )
    def delete(self, request: Request, rule_id: int) -> Response:
        rule_delete(rule_id=rule_id, by=request.user)
        return Response(status=204)


class FileRuleActionApi(APIView):
    """Pause, resume or scan."""

    required_permission = "files.operate_rule"

    @extend_schema(
        summary="Pause, resume or scan a file rule",
        tags=TAGS,
        request=None,
        responses={
            200: FileRule,
            **refusals(s404=_UNKNOWN, s409="`rule_changed`: it is paused, so not scanned"),
        },
    )
    def post(self, request: Request, rule_id: int, action: str) -> Response:
        _ACTS[action](rule_id=rule_id, by=request.user)
        return Response(FileRule(rule_body(rule_view(_get(rule_id)))).data)


class FileRuleMatchesApi(APIView):
    """The dry run of a rule."""

    required_permission = VIEW

    @extend_schema(
        operation_id="file_rule_matches",
        summary="What a file rule means now",
        description="Only looks; three seconds at most.",
        tags=TAGS,
        responses={200: FileMatches, **refusals(s404=_UNKNOWN, s422=_INVALID)},
    )
    def get(self, request: Request, rule_id: int) -> Response:
        return Response(_matches(rule_matches(RuleDraft.of(_get(rule_id)), rule_id=rule_id)))


class FileRuleTryApi(APIView):
    """The dry run of a rule that is not made yet."""

    required_permission = "files.add_rule"

    @extend_schema(
        operation_id="file_rule_try",
        summary="What a new file rule would mean",
        description="Only looks; three seconds at most. Nothing is saved.",
        tags=TAGS,
        request=FileRuleInput,
        responses={200: FileMatches, **refusals(s422=_INVALID)},
        examples=[OpenApiExample("A draft", NEW_RULE, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        return Response(_matches(rule_matches(RuleDraft(**_given(request)))))


class FileWatchersApi(APIView):
    """Who watches."""

    required_permission = VIEW

    @extend_schema(
        operation_id="file_watchers",
        summary="List the watchers",
        tags=TAGS,
        responses=FileWatchers,
    )
    def get(self, request: Request) -> Response:
        found = [
            {
                "id": view.watcher.pk,
                "condition": view.condition,
                "rules": view.watcher.rules,
                "started_at": view.watcher.started_at,
                "beat_at": view.watcher.beat_at,
            }
            for view in watchers_view()
        ]
        return Response(FileWatchers({"watchers": found, "silence": silence()}).data)


def _given(request: Request) -> dict[str, Any]:
    data = FileRuleInput(data=request.data)
    data.is_valid(raise_exception=True)
    return dict(data.validated_data)


def _matches(found: Matches) -> dict[str, Any]:
    refused = [{"path": path, "reason": why} for path, why in found.refused]
    matches = [asdict(match) for match in found.matches]
    body = {name: getattr(found, name) for name in ("count", "size", "looked", "is_cut", "problem")}
    return dict(FileMatches({**body, "matches": matches, "refused": refused}).data)


def _get(rule_id: int) -> Rule:
    rule = Rule.objects.filter(pk=rule_id).first() if rule_id < 2**63 else None
    if rule is None:
        raise RuleUnknown(f"there is no file rule {rule_id}")
    return rule
