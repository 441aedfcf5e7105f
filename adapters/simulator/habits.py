"""What goes round in circles: agents that loop, and calls that are too long and come again."""

from typing import Final

LOOP_CALLS: Final = 30.0
"""Model calls of a request that goes round in a circle, on the average; an ordinary one makes one."""

LOOP_TOKENS: Final = 3.0
"""Input of such a call as a factor on the ordinary one, on the average: its context grows from call to call."""

AGAIN_S: Final = 30.0
"""A call that was refused because it is longer than the model's window is sent again after so long …"""

FOR_S: Final = 600.0
"""… and for so long on the average, the same every time."""

OVERFLOW_TOKENS: Final = 8.0
"""Input of such a call as a factor on the ordinary one; it is billed although it is refused."""
