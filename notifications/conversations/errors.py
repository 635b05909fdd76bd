"""What the conversations refuse.

DomainError
  DialogFull                409  with the limit
  DialogUnknown             404
  MessageUnknown            404  there is none with this id in this dialog
  NotAParticipant           409  the person is not in the dialog, or has left it
  ConversationInvalid       422  says which field and why
"""

from lib.errors import DomainError, InputInvalid, NotFound


class DialogUnknown(NotFound):
    """There is no such dialog."""

    code = "dialog_unknown"


class MessageUnknown(NotFound):
    """There is no such message in this dialog."""

    code = "message_unknown"


class NotAParticipant(DomainError):
    """This person does not take part in the dialog."""

    code = "not_a_participant"


class DialogFull(DomainError):
    """A dialog has at most 500 participants."""

    code = "dialog_full"


class ConversationInvalid(InputInvalid):
    """The request does not have the form that is asked for."""

    code = "invalid"
