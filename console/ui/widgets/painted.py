"""A canvas's lines as they were painted last, so that a paint costs the lines that are painted anew.

Textual asks every widget near a change for all of its lines, and finds its styles, borders and filters anew each time:
with a thousand sources that was half of what a key had to wait for. A canvas has no border, no padding and no filter
that its styles do not hold already.
"""

from textual._styles_cache import StylesCache
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


class Painted(StylesCache):
    """Stands in for Textual's own cache of a widget; Textual says here which lines are to be made anew."""

    def render_widget(self, widget: Widget, crop: Region) -> list[Strip]:
        """The lines of `crop`, a region of the widget."""
        width = widget.region.width
        if width != self._width:
            self.clear()
            self._width = width
        lines, dirty = self._cache, self._dirty_lines
        for y in crop.line_range:
            if y in dirty or y not in lines:
                lines[y] = widget.render_line(y)
        dirty.difference_update(crop.line_range)
        strips = [lines[y] for y in crop.line_range]
        if crop.column_span != (0, width):
            return [strip.crop(*crop.column_span) for strip in strips]
        return strips
