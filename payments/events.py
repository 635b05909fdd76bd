"""What payments announce. Receivers run in the transaction of what happened and only write rows."""

from django.dispatch import Signal

# payment: the Payment, locked, now completed. Sent once per payment, by whoever completed it.
payment_completed = Signal()
# payment: the Payment, locked, now failed; reason: "expired" or "refused".
payment_failed = Signal()
# payment: the Payment, locked, now refunded.
payment_refunded = Signal()
# payment: the Payment, locked, now pending: its invoice is open and has a link.
invoice_made = Signal()
