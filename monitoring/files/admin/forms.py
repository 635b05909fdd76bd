"""The form of a rule: says beside the field what is wrong."""

from typing import Any

from django import forms
from django.conf import settings

from lib.errors import InputInvalid
from monitoring.files.actions import action_find, actions
from monitoring.files.drafts import LEAST_MS, MOST_MS, RuleDraft, draft_check
from monitoring.files.models import Change, Rule

_CHANGES = (
    (Change.ADDED, "added"),
    (Change.MODIFIED, "modified: its content is another"),
    (Change.MOVED, "moved: the same under another name"),
    (Change.DELETED, "deleted"),
)
# Which field shows a refusal that begins with its name.
_PLACES = ("name", "directory", "patterns", "debounce_ms", "changes", "action")


def _line(label: str, placeholder: str = "", **options: Any) -> forms.CharField:
    widget = forms.TextInput({"placeholder": placeholder, "autocomplete": "off"})
    return forms.CharField(label=label, widget=widget, **options)


class RuleForm(forms.Form):
    """A rule as people write it. After is_valid `draft` is what the services take."""

    name = _line("Name", "Imports of the shop", max_length=100)
    directory = _line("Directory", "/srv/drop", max_length=1000)
    patterns = forms.CharField(
        label="Patterns, one per line",
        initial="*",
        max_length=10_000,
        widget=forms.Textarea({"rows": 3, "spellcheck": "false", "placeholder": "*.csv"}),
    )
    is_recursive = forms.BooleanField(label="Also in directories below", required=False)
    debounce_ms = forms.IntegerField(
        label="Stand still for (ms)", min_value=LEAST_MS, max_value=MOST_MS
    )
    changes = forms.MultipleChoiceField(
        label="What counts", choices=_CHANGES, widget=forms.CheckboxSelectMultiple
    )
    takes_existing = forms.BooleanField(
        label="Files that lie there already count as added", required=False
    )
    action = forms.ChoiceField(label="Action")

    draft: RuleDraft

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(each.name, each.title) for each in actions()]
        chosen = self["action"].value()
        if chosen and chosen not in dict(choices) and not self.is_bound:
            choices.append((chosen, f"{chosen} (is gone)"))
        action = self.fields["action"]
        assert isinstance(action, forms.ChoiceField)
        action.choices = choices
        for each in actions():
            for option in each.fields:
                self.fields[_option(each.name, option.name)] = _option_field(option)

    def option_groups(self) -> list[dict[str, Any]]:
        """The options of each action, for the page."""
        return [
            {
                "action": each,
                "fields": [
                    {"bound": self[_option(each.name, option.name)], "help": option.help}
                    for option in each.fields
                ],
            }
            for each in actions()
        ]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if self.errors:
            return given
        action = action_find(given["action"])
        names = [option.name for option in action.fields] if action else []
        self.draft = RuleDraft(
            name=given["name"],
            directory=given["directory"],
            patterns=given["patterns"].splitlines(),
            is_recursive=given["is_recursive"],
            debounce_ms=given["debounce_ms"],
            changes=given["changes"],
            takes_existing=given["takes_existing"],
            action=given["action"],
            options={name: given.get(_option(given["action"], name)) for name in names},
        )
        try:
            draft_check(self.draft)
        except InputInvalid as exc:
            self.refuse(exc.message)
        return given

    def refuse(self, message: str) -> None:
        """Show what a service refuses, beside the field that it names."""
        place, _, words = message.partition(": ")
        action = self.cleaned_data.get("action", "")
        if place.startswith("options.") and _option(action, place[8:]) in self.fields:
            self.add_error(_option(action, place[8:]), _sentence(words))
        elif place in _PLACES:
            self.add_error(place, _sentence(words))
        elif message.startswith("the directory"):
            self.add_error("directory", _sentence(message))
        elif "named" in message:
            self.add_error("name", _sentence(message))
        else:
            self.add_error(None, _sentence(message))


def beginning(rule: Rule | None) -> dict[str, Any]:
    """What the form holds at first."""
    if rule is None:
        roots = settings.FILE_WATCH_ROOTS
        return {
            "directory": roots[0] if roots else "",
            "debounce_ms": settings.FILE_DEBOUNCE_MS,
            "changes": [Change.ADDED, Change.MODIFIED],
        }
    return {
        **{name: getattr(rule, name) for name in RuleForm.base_fields},
        "patterns": "\n".join(rule.patterns),
        **{_option(rule.action, name): value for name, value in rule.options.items()},
    }


def _option(action: str, name: str) -> str:
    return f"option_{action}_{name}"


def _option_field(option: Any) -> forms.Field:
    label = option.label if option.required else f"{option.label} (may be left empty)"
    if option.choices:
        return forms.ChoiceField(
            label=label, choices=option.choices, required=False, initial=option.default or None
        )
    return _line(label, option.default, required=False, max_length=500)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
