"""All messages that we write ourselves, in each language, as people get them."""

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern

from notifications.telegram.admin.pages import TelegramConsole
from notifications.telegram.preview import preview_make
from notifications.telegram.templates import LANGUAGES, preview, registry

_NAMES = {"en": "English", "ru": "Russian"}


class TemplatePages(TelegramConsole):
    def pages(self) -> list[URLPattern]:
        return [self.at("templates/", self.templates, "templates"), *super().pages()]

    def templates(self, request: HttpRequest) -> HttpResponse:
        """The page. No query of its own; what is shown are the samples of the registry."""
        found = [
            {
                "name": message.name,
                "purpose": message.purpose,
                "fields": [
                    {"name": name, "takes": kind.takes, "is_optional": kind.is_optional}
                    for name, kind in message.fields.items()
                ],
                "previews": [
                    {
                        "language": language,
                        "name": _NAMES.get(language, language),
                        "preview": preview_make(preview(message.name, language), "HTML"),
                    }
                    for language in LANGUAGES
                ],
            }
            for message in registry.values()
        ]
        return self.show(request, "templates", "Message templates", templates=found)
