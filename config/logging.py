"""Setting up the logs; how a line looks is in lib/logs.py."""

import logging
import logging.config
from typing import Any


def configure(config: dict[str, Any]) -> None:
    """Apply LOGGING; a handler's failure must not stop the work it reports on."""
    logging.raiseExceptions = False
    logging.config.dictConfig(config)
