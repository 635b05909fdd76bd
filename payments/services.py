"""What other rooms and the doors call; each stands in a file of its own.

What is announced in the same transaction: payments/events.py.
"""

from payments.acts import (
    invoice_make_again,
    payment_give_up,
    payment_recheck,
    payment_refund_note,
)
from payments.orders import order_create
from payments.reviewing import review_resolve
from payments.settling import payment_fail, payment_settle

__all__ = [
    "invoice_make_again",
    "order_create",
    "payment_fail",
    "payment_give_up",
    "payment_recheck",
    "payment_refund_note",
    "payment_settle",
    "review_resolve",
]
