"""`python -m console.server ENV`: the engine of one environment."""

import sys

from console.server.main import main

if __name__ == "__main__":
    sys.exit(main())
