"""The catalogue of the messages that we write ourselves.

The words are in templates/telegram/<name>.<language>.html. A new message is an entry in one of the
lists below and one file per language; the tests render every one of them.
"""

from collections.abc import Mapping

from notifications.telegram.kinds import Message
from notifications.telegram.messages_exports import EXPORTS
from notifications.telegram.messages_files import FILES
from notifications.telegram.messages_operators import OPERATORS
from notifications.telegram.messages_reports import REPORTS
from notifications.telegram.messages_subscribers import LIFECYCLE, PAYMENTS

MESSAGES: Mapping[str, Message] = {
    message.name: message
    for message in (*LIFECYCLE, *PAYMENTS, *OPERATORS, *FILES, *EXPORTS, *REPORTS)
}
