"""What may be refused, and what may happen to a job while it runs.

DomainError
  KindUnknown, ArgsInvalid, QueueUnknown, EnqueueInvalid   refused at the door
  ArgsTooLarge                                             refused at the door
  JobNotFound, JobNotCancellable, JobNotReplayable ...      refused by the state of a row
  LeaseFenced, LeaseEnded                                  refused by the fence
Interrupt (a BaseException: `except Exception` in a job does not swallow it)
  JobTimeout, JobCancelled, LeaseLost
"""

from lib.errors import DomainError, InputInvalid, NotFound, TooLarge


class KindUnknown(InputInvalid):
    """No job of that kind is declared."""

    code = "unknown_kind"


class ArgsInvalid(InputInvalid):
    """The args do not fit the signature of the kind."""

    code = "invalid_args"


class ArgsTooLarge(TooLarge):
    """The args are larger than 256 kB."""

    code = "args_too_large"


class QueueUnknown(InputInvalid):
    """There is no such queue."""

    code = "unknown_queue"


class EnqueueInvalid(InputInvalid):
    """An option of the job cannot be used."""

    code = "invalid_option"


class JobNotFound(NotFound):
    """There is no such job."""

    code = "job_not_found"


class JobNotCancellable(DomainError):
    """The job is finished already."""

    code = "job_not_cancellable"


class JobNotRetryable(DomainError):
    """Only a waiting, scheduled or dead job can be run now."""

    code = "job_not_retryable"


class JobNotReplayable(DomainError):
    """Only a dead, finished or cancelled job can be replayed."""

    code = "job_not_replayable"


class UniqueConflict(DomainError):
    """A job with this unique key is there already."""

    code = "unique_conflict"


class LeaseFenced(DomainError):
    """The lease has passed to somebody else, or the token is not yours; nothing was changed."""

    code = "fenced"


class LeaseEnded(DomainError):
    """The job has ended already."""

    code = "gone"
    status = 410


class Interrupt(BaseException):
    """Raised inside a running job from outside of it."""


class JobTimeout(Interrupt):
    """The job ran longer than its time limit."""


class JobCancelled(Interrupt):
    """Somebody asked for this job to be cancelled."""


class LeaseLost(Interrupt):
    """The lease has passed to another worker; whatever this one does now changes nothing."""
