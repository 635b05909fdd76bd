"""All that alerts of the platform say, in every language of our messages.

A new rule is an entry in one of the lists, with its words in each language; tests look at every one.
"""

from collections.abc import Mapping
from typing import Any

from monitoring.alerts.wording.foreign import FOREIGN
from monitoring.alerts.wording.money import MONEY
from monitoring.alerts.wording.saying import Saying, Says
from monitoring.alerts.wording.servers import SERVERS
from monitoring.alerts.wording.services import SERVICES
from monitoring.alerts.wording.stores import STORES
from monitoring.alerts.wording.work import WORK

CATALOGUE: Mapping[str, Saying] = {
    saying.name: saying for saying in (*SERVERS, *SERVICES, *WORK, *STORES, *MONEY, *FOREIGN)
}


def says(name: str, /, **values: Any) -> Says:
    """What an alert says. name: the rule, or `rule.case`. None: what stands in brackets is left out.

    Raises LookupError or ValueError if the catalogue has no such entry, or the values do not fit it.
    """
    saying = CATALOGUE[name]
    return Says(saying, saying.keep(values))
