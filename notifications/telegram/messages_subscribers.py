"""Messages to subscribers: their time, their traffic, their payments."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from notifications.telegram.kinds import (
    Message,
    choice,
    day,
    line,
    moment,
    money,
    optional,
    size,
    url,
)

_NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
_RENEW_URL = "https://example.com/renew"

_EXPIRING = {"plan": line, "expires_at": moment, "renew_url": optional(url)}
_EXPIRING_SAMPLE = {"plan": "Standard, 1 month", "expires_at": _NOON, "renew_url": _RENEW_URL}

LIFECYCLE = (
    *(
        Message(
            f"subscription_expiring_{bracket}",
            f"To a subscriber whose time ends within {within}.",
            _EXPIRING,
            _EXPIRING_SAMPLE,
        )
        for bracket, within in (
            ("7d", "a week"),
            ("3d", "three days"),
            ("24h", "24 hours"),
            ("6h", "6 hours"),
        )
    ),
    Message(
        "subscription_expired",
        "To a subscriber whose time has ended: how to renew.",
        {"plan": line, "expired_at": moment, "renew_url": optional(url)},
        {"plan": "Standard, 1 month", "expired_at": _NOON, "renew_url": _RENEW_URL},
    ),
    Message(
        "subscription_deactivated",
        "To a subscriber who is no longer served: since when, why, what to do.",
        {
            "plan": line,
            "deactivated_at": moment,
            "reason": optional(line),
            "renew_url": optional(url),
            "support": optional(line),
        },
        {
            "plan": "Standard, 1 month",
            "deactivated_at": _NOON,
            "reason": "The paid time is over",
            "renew_url": _RENEW_URL,
            "support": "@example_support",
        },
    ),
    Message(
        "traffic_reset",
        "To subscribers whose traffic counter was set to zero.",
        {"reset_on": day, "limit": optional(size)},
        {"reset_on": date(2026, 12, 1), "limit": 100 * 1024**3},
    ),
)

PAYMENTS = (
    Message(
        "payment_received",
        "To the payer. Without expires_at: paid, but access is still being switched on.",
        {"amount": money, "plan": line, "expires_at": optional(moment), "invoice": optional(line)},
        {
            "amount": (Decimal("5.00"), "USDT"),
            "plan": "Standard, 1 month",
            "expires_at": _NOON + timedelta(days=30),
            "invoice": "IV-1024",
        },
    ),
    Message(
        "payment_failed",
        "To the payer: the invoice ran out of time, or the provider refused.",
        {
            "amount": money,
            "plan": line,
            "reason": choice("expired", "refused"),
            "pay_url": optional(url),
            "support": optional(line),
        },
        {
            "amount": (Decimal("5.00"), "USDT"),
            "plan": "Standard, 1 month",
            "reason": "expired",
            "pay_url": "https://example.com/pay/2",
            "support": "@example_support",
        },
    ),
    Message(
        "invoice_renewal",
        "To a subscriber with auto-renewal: the invoice and its link.",
        {
            "plan": line,
            "amount": money,
            "pay_url": url,
            "expires_at": moment,
            "pay_before": optional(moment),
        },
        {
            "plan": "Standard, 1 month",
            "amount": (Decimal("5.00"), "USDT"),
            "pay_url": "https://example.com/pay/1",
            "expires_at": _NOON,
            "pay_before": _NOON + timedelta(hours=24),
        },
    ),
)
