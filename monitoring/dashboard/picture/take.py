"""One picture of the business. Its parts are files of this folder, each with its shape."""

from datetime import datetime
from typing import Any

from monitoring.dashboard.panel import PanelLook
from monitoring.dashboard.picture.charts import charts, point_write
from monitoring.dashboard.picture.lane import lane
from monitoring.dashboard.picture.money import money
from monitoring.dashboard.picture.people import people
from monitoring.dashboard.picture.servers import servers
from monitoring.dashboard.picture.services import services
from monitoring.dashboard.picture.work import work

Picture = dict[str, Any]


def picture_take(look: PanelLook | None, at: datetime) -> Picture:
    """Read all tables, leave a point for the charts, and return the parts by name.

    {taken_at, people, servers, work, money, lane, services, panel, charts}. Some twenty small queries,
    whose cost does not grow with the tables. What changes with each event is not in it: the feed and
    the open alerts are read when they are shown (monitoring.dashboard.frames).
    """
    picture: Picture = {
        "taken_at": at,
        "people": people(look),
        "servers": servers(),
        "work": work(),
        "money": money(),
        "lane": lane(),
        "services": services(),
        "panel": None if look is None else look.dump(),
    }
    point_write(picture, at)
    return {**picture, "charts": charts(at)}
