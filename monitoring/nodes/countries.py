"""Where countries are: ISO 3166-1, each with the coordinates of its capital or main town.

The table lies beside this file and was written for this project from common knowledge; it changes
when the standard does.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("countries.csv")


@dataclass(frozen=True, slots=True)
class Country:
    """One country. Degrees: north and east are positive."""

    code: str
    name: str
    latitude: float
    longitude: float


@cache
def countries() -> dict[str, Country]:
    """All countries by their two letters."""
    with _FILE.open(encoding="utf-8", newline="") as file:
        return {
            row["code"]: Country(
                row["code"], row["name"], float(row["latitude"]), float(row["longitude"])
            )
            for row in csv.DictReader(file)
        }


def country_name(code: str) -> str:
    """The name of a country; its letters if nobody knows them."""
    found = countries().get(code)
    if found is not None:
        return found.name
    return "unknown country" if code == "XX" else code
