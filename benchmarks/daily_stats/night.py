"""What a night of statistics costs, measured inside of a process of the site.

Prints one JSON object: seconds of each step, what was found, and the most memory that it took.
"""

import json
import resource
import time
from collections.abc import Callable
from typing import Any

import django


def main() -> None:
    django.setup()
    from lib import clock
    from payments.earning import days_compute as financial_days_compute
    from reports.statistics.days.spans import DAY, today
    from reports.statistics.reporting.making import report_make
    from reports.statistics.reporting.telling import report_say
    from reports.statistics.services import cohorts_compute, day_compute

    figures: dict[str, float] = {}

    def timed(name: str, act: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        result = act()
        figures[name] = time.perf_counter() - began
        return result

    clock.now()
    yesterday = today() - DAY
    timed("money_s", financial_days_compute)  # all the days of payments: as on the first night
    row = timed("day_s", lambda: day_compute(yesterday))
    again = timed("again_s", lambda: day_compute(yesterday))
    timed("earlier_s", lambda: day_compute(yesterday - DAY))
    timed("cohorts_s", cohorts_compute)
    report, _ = timed("report_s", lambda: report_make(kind="daily", period=yesterday))
    parts = report_say(report, "ru")
    print(
        json.dumps(
            {
                **figures,
                "is_same": (row.revenue, row.users_active) == (again.revenue, again.users_active),
                "active": row.users_active,
                "payments": row.payments_count,
                "paying": row.paying,
                "parts": len(parts),
                "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
