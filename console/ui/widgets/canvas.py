"""Lines of cells on the screen: keeps what was shown, repaints only what differs, moves a cursor over keyed lines."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from console.ui.cells import STYLES, Cell, Line, width_of
from console.ui.lazy import Lazy
from console.ui.widgets.painted import Painted

_BLANK = Line()


class Canvas(ScrollView, can_focus=True):
    """A page of `Line`s. Call `show` with the whole page as often as you like: equal lines cost nothing.

    Lines with a key can be selected by the cursor; the cursor stays on its key when lines move.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"canvas--{style}" for style in STYLES} | {
        "canvas--cursor",
        "canvas--dim",
    }

    DEFAULT_CSS = """
    Canvas {
        height: 1fr;
        scrollbar-size-vertical: 1;
        scrollbar-size-horizontal: 0;
        scrollbar-gutter: stable;
        overflow-x: hidden;
        .canvas--ok { color: $success; }
        .canvas--notice { color: $accent; text-style: bold; }
        .canvas--warn { color: $warning; text-style: bold; }
        .canvas--stale { color: $ink-faded; text-style: italic; }
        .canvas--bad { color: $error; text-style: bold; }
        .canvas--alarm { color: $error; text-style: bold reverse; }
        .canvas--muted { color: $ink-muted; }
        .canvas--strong { text-style: bold; }
        .canvas--title { color: $primary; text-style: bold; }
        .canvas--accent { color: $accent; }
        .canvas--flow { color: $primary; }
        .canvas--key { color: $accent; text-style: bold; }
        .canvas--dim { color: $ink-faded; text-style: dim; }
        .canvas--cursor { background: $ink-cursor; text-style: bold; }
        &:ansi {
            .canvas--ok { color: ansi_green; }
            .canvas--notice { color: ansi_cyan; text-style: bold; }
            .canvas--warn { color: ansi_yellow; text-style: bold; }
            .canvas--stale { color: ansi_default; text-style: dim italic; }
            .canvas--bad { color: ansi_red; text-style: bold; }
            .canvas--alarm { color: ansi_red; text-style: bold reverse; }
            .canvas--muted { color: ansi_default; text-style: dim; }
            .canvas--title { color: ansi_blue; text-style: bold; }
            .canvas--accent { color: ansi_cyan; }
            .canvas--flow { color: ansi_blue; }
            .canvas--key { color: ansi_cyan; text-style: bold; }
            .canvas--dim { color: ansi_default; text-style: dim; }
            .canvas--cursor { text-style: reverse; }
        }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor(-1)", "Up", show=False),
        Binding("down,j", "cursor(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown,space", "page(1)", "Page down", show=False),
        Binding("home,g", "edge(0)", "First", show=False),
        Binding("end,G", "edge(-1)", "Last", show=False),
    ]

    @dataclass
    class Highlighted(Message):
        """The cursor is on another key."""

        canvas: "Canvas"
        key: Hashable | None
        """None when no line can be selected."""

        @property
        def control(self) -> "Canvas":
            """The canvas whose cursor moved."""
            return self.canvas

    def __init__(
        self,
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self._lines: Sequence[Line] = ()
        self._fixed: tuple[Line, ...] = ()
        self._keys: dict[Hashable, int] = {}
        self._cursor: Hashable | None = None
        self._strips: dict[tuple[Line, bool], Strip] = {}
        self._styles: dict[tuple[str, bool, bool], Style] = {}
        self._stale = False
        self._held: list[Region] | None = None
        self._styles_cache = Painted()

    # What is shown

    @property
    def page_width(self) -> int:
        """Columns for text: the widget's own without its scrollbar."""
        return self.scrollable_content_region.width

    def show(
        self, lines: Sequence[Line], *, fixed: Sequence[Line] = (), keys: Sequence[Hashable | None] | None = None
    ) -> None:
        """Replace the page.

        Args:
            lines: the scrolling part.
            fixed: lines that stay at the top, such as a table's heading.
            keys: the lines' keys, when they are known without the lines: then only lines in view are asked for,
                and `lines` may make them when they are.
        """
        before, before_fixed = self._lines, self._fixed
        cursor_was = self.cursor_index
        self._lines, self._fixed = lines, tuple(fixed)
        known = (line.key for line in lines) if keys is None else keys
        self._keys = {key: index for index, key in enumerate(known) if key is not None}
        self._keep_cursor(cursor_was)
        if len(before) != len(lines) or len(before_fixed) != len(self._fixed):
            self.virtual_size = Size(self.page_width, len(lines) + len(self._fixed))
        self._repaint_differences(before, before_fixed, cursor_was)

    def hold(self) -> None:
        """What differs from now on is not painted but kept for `release`."""
        self._held = []

    def release(self) -> list[Region]:
        """Where the page differs from what it showed at `hold`: for the caller to `refresh`."""
        held, self._held = self._held or [], None
        return held

    @property
    def lines(self) -> Sequence[Line]:
        """What `show` was given last."""
        return self._lines

    @property
    def stale(self) -> bool:
        """Whether the whole page is shown faded, because nothing on it can be believed now."""
        return self._stale

    @stale.setter
    def stale(self, stale: bool) -> None:
        if stale is not self._stale:
            self._stale = stale
            self._forget()

    # The cursor

    @property
    def cursor(self) -> Hashable | None:
        """The key under the cursor, or None when no line has a key."""
        return self._cursor

    @property
    def cursor_index(self) -> int | None:
        """The cursor's place in `lines`."""
        return None if self._cursor is None else self._keys.get(self._cursor)

    def select(self, key: Hashable) -> bool:
        """Put the cursor on `key` and scroll it into view; False when it is not on the page."""
        index = self._keys.get(key)
        if index is None:
            return False
        self._move_to(index)
        return True

    def action_cursor(self, step: int) -> None:
        """Go to the next (1) or the last (-1) line that has a key; with none, scroll."""
        if not self._keys:
            self.scroll_relative(y=step, animate=False)
            return
        places = list(self._keys.values())
        now = self.cursor_index
        at = places.index(now) + step if now is not None else 0
        self._move_to(places[max(0, min(len(places) - 1, at))])

    def action_page(self, step: int) -> None:
        """Go one page down (1) or up (-1)."""
        height = max(1, self.size.height - len(self._fixed) - 1)
        if not self._keys:
            self.scroll_relative(y=step * height, animate=False)
            return
        target = (self.cursor_index or 0) + step * height
        places = list(self._keys.values())
        self._move_to(min(places, key=lambda place: abs(place - target)))

    def action_edge(self, edge: int) -> None:
        """Go to the first (0) or the last (-1) line that has a key."""
        if self._keys:
            self._move_to(list(self._keys.values())[edge])
        else:
            self.scroll_to(y=0 if edge == 0 else self.max_scroll_y, animate=False)

    def _move_to(self, index: int) -> None:
        was = self.cursor_index
        self._cursor = self._lines[index].key
        if was != index:
            for place in (was, index):
                if place is not None:
                    self._repaint_line(place)
            self.post_message(self.Highlighted(self, self._cursor))
        self._reveal(index)

    def _reveal(self, index: int) -> None:
        top = int(self.scroll_offset.y)
        height = max(1, self.size.height - len(self._fixed))
        if index < top:
            # The lines above that cannot be selected (a heading, a group's title) come into view with the first one.
            first = index == min(self._keys.values(), default=0)
            self.scroll_to(y=0 if first else index, animate=False)
        elif index >= top + height:
            self.scroll_to(y=index - height + 1, animate=False)

    def _keep_cursor(self, was: int | None) -> None:
        """Stay on the key; when it left the page, take the one that is now nearest to its place."""
        if self._cursor in self._keys:
            return
        now = None
        if self._keys:
            place = was or 0
            now = min(self._keys.items(), key=lambda item: abs(item[1] - place))[0]
        if now != self._cursor:
            self._cursor = now
            self.post_message(self.Highlighted(self, now))

    # Painting

    def render_line(self, y: int) -> Strip:
        """One line of the widget, `y` counted from its top."""
        width, top = self.page_width, int(self.scroll_offset.y)
        if y < len(self._fixed):
            line, selected = self._fixed[y], False
        else:
            index = y - len(self._fixed) + top
            line = self._lines[index] if index < len(self._lines) else _BLANK
            selected = self._cursor is not None and line.key == self._cursor
        strip = self._strips.get((line, selected))
        if strip is None:
            if len(self._strips) > 3 * self.size.height:
                self._strips.clear()
            strip = self._strips[line, selected] = self._strip(line, selected, width)
        return strip

    def _strip(self, line: Line, selected: bool, width: int) -> Strip:
        """The line in the widget's whole width: beyond `width` stands the scrollbar or what is left for it."""
        dim = line.dim or self._stale
        segments = [Segment(cell.text, self._style(cell.style, dim=dim, selected=selected)) for cell in line.cells]
        size = sum(width_of(cell.text) for cell in line.cells)
        if size < width:
            segments.append(Segment(" " * (width - size), self._style("", dim=False, selected=selected)))
        elif size > width:
            segments = list(Strip(segments).crop(0, width))
        whole = self.region.width
        if whole > width:
            segments.append(Segment(" " * (whole - width), self._ground))
        return Strip(segments, max(whole, width))

    @property
    def _ground(self) -> Style:
        """The widget's own colour, for what holds no text."""
        beneath, own = self.background_colors
        return self._as_shown(Style.from_color(bgcolor=(beneath + own).rich_color))

    def _style(self, name: str, *, dim: bool, selected: bool) -> Style:
        """Styles stack: the page's, then the cell's own, then faded, then the cursor's."""
        known = self._styles.get((name, dim, selected))
        if known is not None:
            return known
        style = self.rich_style
        if name:
            style += self.get_component_rich_style(f"canvas--{name}", partial=True)
        if dim:
            style += self.get_component_rich_style("canvas--dim", partial=True)
        if selected:
            style += self.get_component_rich_style("canvas--cursor", partial=True)
        self._styles[name, dim, selected] = style = self._as_shown(style)
        return style

    def _as_shown(self, style: Style) -> Style:
        """The style as this terminal can show it: Textual's filters for colours that are few, none or faded."""
        segments = [Segment(" ", style)]
        for line_filter in self.get_line_filters():
            segments = line_filter.apply(segments, self.background_colors[1])
        return segments[0].style or style

    def _repaint_differences(self, before: Sequence[Line], before_fixed: tuple[Line, ...], was: int | None) -> None:
        if not self.is_mounted:
            return
        for y, (old, new) in enumerate(zip(before_fixed, self._fixed, strict=False)):
            if old is not new and old != new:
                self._repaint(Region(0, y, self.page_width, 1))
        now = self.cursor_index
        for index in self._in_view():
            old = before[index] if index < len(before) else _BLANK
            new = self._lines[index] if index < len(self._lines) else _BLANK
            if (index == was) != (index == now) or old.dim is not new.dim:
                self._repaint_line(index)
            elif old is not new and old.cells != new.cells:
                self._repaint_line(index, *_extent(old.cells, new.cells))

    def keys_in_sight(self) -> Sequence[Hashable | None]:
        """The keys of the lines that are seen, from the top."""
        view = self._in_view()
        keys = self._lines.keys if isinstance(self._lines, Lazy) else [line.key for line in self._lines]
        return keys[view.start : view.stop]

    def _in_view(self) -> range:
        top = int(self.scroll_offset.y)
        return range(top, top + max(0, self.size.height - len(self._fixed)))

    def _repaint_line(self, index: int, start: int = 0, end: int | None = None) -> None:
        y = index - int(self.scroll_offset.y) + len(self._fixed)
        if len(self._fixed) <= y < self.size.height:
            stop = self.page_width if end is None else min(end, self.page_width)
            if stop > start:
                self._repaint(Region(start, y, stop - start, 1))

    def _repaint(self, region: Region) -> None:
        if self._held is None:
            self.refresh(region)
        else:
            self._held.append(region)

    def _forget(self) -> None:
        self._strips.clear()
        self._styles.clear()
        self.refresh()

    def notify_style_update(self) -> None:
        """Styles or the theme changed: every strip is made again."""
        self._strips.clear()
        self._styles.clear()
        super().notify_style_update()

    def on_resize(self) -> None:
        """Another width makes other strips."""
        self._strips.clear()
        self.virtual_size = Size(self.page_width, len(self._lines) + len(self._fixed))


def _extent(old: tuple[Cell, ...], new: tuple[Cell, ...]) -> tuple[int, int | None]:
    """The first column and the one after the last column in which two lines differ (None: to the end)."""
    if len(old) != len(new):
        return 0, None
    start, end = None, None
    for x, width, same in _walk(old, new):
        if width < 0:
            return (x if start is None else start), None
        if not same:
            start = x if start is None else start
            end = x + width
    return (0, 0) if start is None else (start, end)


def _walk(old: tuple[Cell, ...], new: tuple[Cell, ...]) -> Iterator[tuple[int, int, bool]]:
    x = 0
    for before, after in zip(old, new, strict=True):
        width = width_of(after.text)
        same = before.text == after.text and before.style == after.style
        if not same and width_of(before.text) != width:
            yield x, -1, False
            return
        yield x, width, same
        x += width
