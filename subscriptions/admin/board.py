"""The expiring board: who ends on which of the coming days, and what was done about it."""

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern

from subscriptions.admin.pages import SubscriptionConsole
from subscriptions.screens.board import board_get


class BoardPages(SubscriptionConsole):
    def board_pages(self) -> list[URLPattern]:
        return [self.at("expiring/", self.board, "expiring")]

    def board(self, request: HttpRequest) -> HttpResponse:
        """The coming days, at most a minute old."""
        board = board_get(is_fresh=request.GET.get("fresh") == "1")
        most = max((day.ending for day in board.days), default=0)
        return self.show(request, "board", "Expiring, day by day", board=board, most=most)
