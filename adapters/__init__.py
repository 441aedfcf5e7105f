"""Backends: one package or module each, found by entry point.

Of the console they import its domain and, for their options, its config.
"""

import sys
from types import ModuleType

# httpx would bring its own command line along, and with it click, rich and pygments: 6 MB and 50 ms of each start.
# Where that module has nothing in it, httpx goes on without, as it does where click is not installed.
sys.modules.setdefault("httpx._main", ModuleType("httpx._main"))
