"""Names that a backend should never use, and that one day does."""

NAMES = (
    "a\x1b[2J\x1b[31mred",
    "b[bold]not bold[/bold]",
    "c\r\nHTTP/1.1 200 OK",
    "d\u202eesrever",
    "e\x00nul",
    "f; rm -rf ~ #",
    "g/with/slashes:and colons",
    "h" * 3000,
    "ı\u0301 ü 模型 🔥",
)
