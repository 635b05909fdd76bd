"""`python -m config.embedded keep DATA_DIR`: become the keeper. For `ensure`, not for people."""

import sys
from pathlib import Path

from config.embedded.errors import ServersUnavailable
from config.embedded.keeper import become_keeper


def main(arguments: list[str]) -> None:
    if len(arguments) != 2 or arguments[0] != "keep":
        sys.exit("usage: python -m config.embedded keep DATA_DIR")
    try:
        become_keeper(Path(arguments[1]))
    except ServersUnavailable as exc:
        sys.exit(str(exc))


if __name__ == "__main__":
    main(sys.argv[1:])
