"""Access: people, groups, and the tokens of machines.

Nobody can give away more than they hold: who is no superuser neither makes one, nor changes one,
nor issues a token that acts as one.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from knox.admin import AuthTokenAdmin  # noqa: F401 - registers the model, which we take over below
from knox.models import AuthToken
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from config.accounts import OPEN_IDENTITY, token_issue
from config.groups import GROUPS
from lib.clock import now

if TYPE_CHECKING:  # unfold brings no types, and its class is Django's with another look
    from django.contrib.admin import ModelAdmin as ThemedAdmin

    BaseUserAdmin = UserAdmin[User]
    UserAdminLook = ThemedAdmin[User]
    GroupAdminLook = ThemedAdmin[Group]
    TokenAdminBase = ThemedAdmin[Any]
    TokenForm = forms.ModelForm[Any]
else:
    from unfold.admin import ModelAdmin as ThemedAdmin

    BaseUserAdmin, TokenForm = UserAdmin, forms.ModelForm
    UserAdminLook = GroupAdminLook = TokenAdminBase = ThemedAdmin

for model in (User, Group, AuthToken):
    admin.site.unregister(model)


@admin.register(User)
class AccountAdmin(BaseUserAdmin, UserAdminLook):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "kind", "is_active", "last_login", "date_joined")
    list_filter = ("is_active", "is_staff", "is_superuser", "groups")
    show_full_result_count = False

    @admin.display(description="Kind")
    def kind(self, account: User) -> str:
        """What the account is for."""
        if account.is_superuser and account.is_staff:
            return "superuser"
        if account.is_staff:
            return "staff"
        return "person" if account.has_usable_password() else "service account"

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if _is_superuser(request) else (*fields, "is_superuser")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_touch(request, obj)


@admin.register(Group)
class RoleAdmin(GroupAdmin, GroupAdminLook):
    """The four groups of config/groups.py are shown, not edited: each migrate restores them."""

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_change_permission(request, obj) and not _is_ours(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not _is_ours(obj)


class TokenIssueForm(TokenForm):
    """A token for an account, for a number of days."""

    days = forms.IntegerField(min_value=1, max_value=3650, initial=365, label="Days that it holds")

    class Meta:
        model = AuthToken
        fields = ("user",)
        labels = {"user": "Account"}  # noqa: RUF012 - Django's form of it


@admin.register(AuthToken)
class TokenAdmin(TokenAdminBase):
    list_display = ("token_key", "user", "created", "expires")
    list_filter = ("created",)
    list_select_related = ("user",)
    search_fields = ("token_key", "user__username")
    ordering = ("-created",)
    show_full_result_count = False
    actions = ("revoke",)

    @admin.display(description="Expires", ordering="expiry")
    def expires(self, token: Any) -> str:
        """The end of the token, and whether it is over."""
        if token.expiry is None:
            return "never"
        return f"{token.expiry:%Y-%m-%d}{' (over)' if token.expiry < now() else ''}"

    @admin.action(description="Revoke the chosen tokens", permissions=["delete"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """End the tokens now; each leaves a line in the history."""
        tokens = list(queryset)
        self.log_deletions(request, queryset)
        queryset.delete()
        self.message_user(request, f"{len(tokens)} revoked", messages.SUCCESS)

    def get_actions(self, request: HttpRequest) -> Any:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)  # `revoke` says what it does
        return actions

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if obj is None:
            kwargs["form"] = TokenIssueForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        del request
        return ("user", "days") if obj is None else ("token_key", "user", "created", "expires")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        del request
        return () if obj is None else ("token_key", "user", "created", "expires")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        accounts = User.objects.filter(is_active=True).exclude(username=OPEN_IDENTITY)
        if not _is_superuser(request):
            accounts = accounts.filter(is_superuser=False)
        kwargs["queryset"] = accounts.order_by("username")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Issue the token, and show it: nobody can read it again."""
        del change  # a token is only ever added
        issued = token_issue(account=obj.user, lifetime=timedelta(days=form.cleaned_data["days"]))
        obj.digest = issued.digest
        obj.refresh_from_db()
        text = format_html(
            "Token of {}: <code>{}</code> Copy it now, it is not shown again.",
            issued.account,
            issued.token,
        )
        self.message_user(request, text, messages.SUCCESS)

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """To the list, or to the next one. Django's own line would show the digest as if it were the
        token."""
        del obj, post_url_continue
        there = request.path if "_addanother" in request.POST else "admin:knox_authtoken_changelist"
        return redirect(there)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del request, obj
        return False  # a token is issued and revoked, never edited


def _is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


def _may_touch(request: HttpRequest, account: User | None) -> bool:
    return account is None or not account.is_superuser or _is_superuser(request)


def _is_ours(group: Group | None) -> bool:
    return group is not None and group.name in GROUPS
