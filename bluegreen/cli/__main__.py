"""``python -m bluegreen.cli``."""

import sys

from . import main

sys.exit(main())
