"""People at the console: an operator who acts, a reader who only looks, a super user."""

from tests.notifications.inbox.admin.conftest import alice, bob, queries, root

__all__ = ["alice", "bob", "queries", "root"]
