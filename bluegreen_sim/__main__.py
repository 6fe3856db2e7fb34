"""``python -m bluegreen_sim serve FILE``: ``bluegreen simulate FILE --serve`` by its other name."""

from __future__ import annotations

import sys

from bluegreen.cli import main

if __name__ == "__main__":
    # One command, so one set of options, errors and exit codes; whoever asks for another is shown them.
    if sys.argv[1:2] == ["serve"]:
        sys.exit(main(["simulate", "--serve", *sys.argv[2:]]))
    main(["simulate", "--help"])
    sys.exit(64)
