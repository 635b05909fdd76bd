"""How numbers, dates and sizes are written in each language of our messages."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

_NBSP = "\u00a0"  # keeps a number and its unit on one line


@dataclass(frozen=True)
class Words:
    """The spelling of one language."""

    months: str  # twelve words, as they stand after a day: "3 марта"
    thousands: str
    point: str
    percent: str
    sizes: tuple[str, ...]  # steps of 1024, from the byte
    spans: tuple[str, str, str, str]  # day, hour, minute, second
    shortened: str  # stands below a text that was cut

    def number(self, value: Decimal | float) -> str:
        """1234567.5 as "1 234 567,5" or "1,234,567.5"; digits as they are, without an exponent."""
        written = f"{value:,f}" if isinstance(value, Decimal) else f"{value:,}"
        return written.translate({ord(","): self.thousands, ord("."): self.point})

    def money(self, amount: Decimal, currency: str) -> str:
        """At least two decimals, more if there are more; never rounded."""
        exponent = amount.normalize().as_tuple().exponent
        decimals = max(2, -exponent) if isinstance(exponent, int) else 2
        return f"{self.number(amount.quantize(Decimal(1).scaleb(-decimals)))}{_NBSP}{currency}"

    def share(self, percent: Decimal) -> str:
        """A percentage with two decimals at most."""
        rounded = percent.quantize(Decimal("0.01"))
        text = f"{rounded:f}".rstrip("0").rstrip(".") if rounded else "0"
        return self.number(Decimal(text)) + self.percent

    def change(self, percent: Decimal) -> str:
        """A percentage with its direction: "▲ +12.5%"."""
        if not percent.quantize(Decimal("0.01")):
            return f"= 0{self.percent}"
        sign = "▲ +" if percent > 0 else "▼ −"
        return sign + self.share(abs(percent))

    def day(self, value: date) -> str:
        return f"{value.day}{_NBSP}{self.months.split()[value.month - 1]} {value.year}"

    def moment(self, value: datetime) -> str:
        """Day and time in the zone of the value, which is named."""
        return f"{self.day(value)}, {value:%H:%M}{_NBSP}{_zone(value)}"

    def size(self, value_bytes: int) -> str:
        """Bytes in the largest unit that leaves a number of 1 or more."""
        rest, unit = Decimal(value_bytes), 0
        while rest >= 1024 and unit < len(self.sizes) - 1:
            rest, unit = rest / 1024, unit + 1
        shown = rest.quantize(Decimal(1) if unit == 0 or rest >= 100 else Decimal("0.1"))
        return f"{self.number(shown)}{_NBSP}{self.sizes[unit]}"

    def span(self, value: timedelta) -> str:
        """Two units at most: "2 h 5 min"."""
        rest, parts = int(value.total_seconds()), []
        for unit, seconds in zip(self.spans, (86400, 3600, 60, 1), strict=True):
            count, rest = divmod(rest, seconds)
            if count:
                parts.append(f"{count}{_NBSP}{unit}")
        return " ".join(parts[:2]) or f"0{_NBSP}{self.spans[3]}"


def _zone(value: datetime) -> str:
    offset = value.utcoffset() or timedelta(0)
    hours, minutes = divmod(abs(offset) // timedelta(minutes=1), 60)
    sign = "-" if offset < timedelta(0) else "+"
    return f"UTC{sign}{hours:02}:{minutes:02}" if offset else "UTC"


WORDS = {
    "en": Words(
        months="January February March April May June July August September October November "
        "December",
        thousands=",",
        point=".",
        percent="%",
        sizes=("B", "KB", "MB", "GB", "TB", "PB"),
        spans=("d", "h", "min", "s"),
        shortened="\n\n<i>… The message was shortened.</i>",
    ),
    "ru": Words(
        months="января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
        thousands=_NBSP,
        point=",",
        percent=f"{_NBSP}%",
        sizes=("Б", "КБ", "МБ", "ГБ", "ТБ", "ПБ"),
        spans=("д", "ч", "мин", "с"),
        shortened="\n\n<i>… Сообщение сокращено.</i>",
    ),
}
