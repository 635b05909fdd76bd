"""What coins and money are worth: fixed, so that a test can reckon. As text, never as a float."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

COINS_USD = {
    "USDT": Decimal("0.9998"),
    "TON": Decimal("1.59"),
    "BTC": Decimal("86000"),
    "ETH": Decimal("2800"),
    "LTC": Decimal("84"),
    "BNB": Decimal("830"),
    "TRX": Decimal("0.28"),
    "USDC": Decimal("0.9999"),
}
PER_USD = {
    "USD": Decimal(1),
    "EUR": Decimal("0.87"),
    "RUB": Decimal("81.25"),
    "BYN": Decimal("3.4"),
    "UAH": Decimal("42"),
    "GBP": Decimal("0.76"),
    "CNY": Decimal("7.1"),
    "KZT": Decimal("520"),
    "UZS": Decimal("12000"),
    "GEL": Decimal("2.7"),
    "TRY": Decimal("42"),
    "AMD": Decimal("385"),
    "THB": Decimal("32.5"),
    "INR": Decimal("88"),
    "BRL": Decimal("5.4"),
    "IDR": Decimal("16700"),
    "AZN": Decimal("1.7"),
    "AED": Decimal("3.6725"),
    "PLN": Decimal("3.7"),
    "ILS": Decimal("3.3"),
}
_NAMES = {"USDT": "Tether", "TON": "Toncoin", "BTC": "Bitcoin", "RUB": "Russian ruble"}
_STABLE = {"USDT", "USDC"}
_EXACT = Decimal("0.00000001")


def coin_in_fiat(asset: str, fiat: str) -> Decimal:
    """The price of one coin."""
    return COINS_USD[asset] * PER_USD[fiat]


def in_usd(currency: str, amount: Decimal) -> Decimal:
    """What an amount of a coin or of a fiat is worth."""
    if currency in COINS_USD:
        return amount * COINS_USD[currency]
    return amount / PER_USD[currency]


def written(amount: Decimal) -> str:
    """An amount as the service writes it: plain digits, no zeros at the end."""
    return f"{amount.quantize(_EXACT, ROUND_HALF_EVEN).normalize():f}"


def exchange_rates() -> list[dict[str, Any]]:
    """Every coin in every fiat, and every fiat in dollars."""
    coins = [
        _rate(coin, fiat, coin_in_fiat(coin, fiat), is_crypto=True)
        for coin in COINS_USD
        for fiat in PER_USD
    ]
    fiats = [
        _rate(fiat, "USD", in_usd(fiat, Decimal(1)), is_crypto=False)
        for fiat in PER_USD
        if fiat != "USD"
    ]
    return coins + fiats


def _rate(source: str, target: str, rate: Decimal, *, is_crypto: bool) -> dict[str, Any]:
    return {
        "is_valid": True,
        "is_crypto": is_crypto,
        "is_fiat": not is_crypto,
        "source": source,
        "target": target,
        "rate": written(rate),
    }


def currencies() -> list[dict[str, Any]]:
    coins = [
        {
            "is_blockchain": code not in _STABLE,
            "is_stablecoin": code in _STABLE,
            "is_fiat": False,
            "name": _NAMES.get(code, code),
            "code": code,
            "url": f"https://example.com/{code.lower()}",
            "decimals": 18 if code in _STABLE else 9,
        }
        for code in COINS_USD
    ]
    fiats = [
        {
            "is_blockchain": False,
            "is_stablecoin": False,
            "is_fiat": True,
            "name": _NAMES.get(code, code),
            "code": code,
            "decimals": 8,
        }
        for code in PER_USD
    ]
    return coins + fiats
