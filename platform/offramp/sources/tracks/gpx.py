"""Reads the points of GPX 1.0 and 1.1 tracks as text, a batch at a time, each with its line.

Expat, for its memory does not grow with the file and it tells lines: gpxpy needs 14 bytes for each of a file and takes
a time that it cannot read for none at all (16,500 points a second against 98,000, measured on 86,400 points).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.parsers import expat

from offramp.sources.tracks.findings import damaged, reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from offramp.sources.tracks.folder import TrackFile

NAMESPACES = ("http://www.topografix.com/GPX/1/0", "http://www.topografix.com/GPX/1/1")
_CHUNK_BYTES = 256 * 1024

Point = list[str | int | None]
"""Line, time, latitude, longitude, accuracy, speed."""
TIME, ACCURACY, SPEED = 1, 4, 5


def read_points(file: TrackFile) -> Iterator[list[Point]]:
    """Yield the points of all tracks in the file's order; waypoints and routes are none.

    Speed in m/s is that of GPX 1.0, or ``speed`` among the extensions of a point; accuracy in metres is ``accuracy``
    there (hdop is no length). Raises SourceRefused for what is no GPX, with the line.
    """
    handler = _Handler(file)
    parser = handler.parser
    try:
        with reading(file), file.open() as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                parser.Parse(chunk, False)
                if handler.points:
                    yield handler.points
                    handler.points = []
            parser.Parse(b"", True)
    except expat.ExpatError as error:
        what = f"this is no whole XML: {expat.ErrorString(error.code)}"
        raise damaged(file, error.lineno, what, expected="a GPX 1.0 or 1.1 file") from error
    except (ValueError, LookupError) as error:  # an encoding that expat does not know
        raise damaged(
            file, parser.CurrentLineNumber, "the file cannot be decoded", expected="UTF-8", found=error
        ) from error
    yield handler.points


class _Handler:
    """Collects points as expat tells of elements."""

    __slots__ = ("_file", "_inside", "_point", "_text", "parser", "points")

    def __init__(self, file: TrackFile) -> None:
        self._file = file
        self._inside: list[str] = []
        self._point: Point | None = None
        self._text: list[str] = []
        self.points: list[Point] = []
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text.append

    def _doctype(self, *_: object) -> None:
        # Entities can make a short file gigabytes long, and GPX has none.
        expected = "a GPX file, which has no document type"
        raise damaged(self._file, self.parser.CurrentLineNumber, "the file declares a document type", expected=expected)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        if not self._inside and (local != "gpx" or namespace not in {"", *NAMESPACES}):
            expected = f"the element gpx of {' or '.join(NAMESPACES)}"
            found = f"{local} of {namespace or 'no namespace'}"
            raise damaged(self._file, self.parser.CurrentLineNumber, "this is no GPX", expected=expected, found=found)
        self._inside.append(local)
        self._text.clear()
        if local == "trkpt":
            line = self.parser.CurrentLineNumber
            self._point = [line, None, attributes.get("lat"), attributes.get("lon"), None, None]

    def _end(self, _: str) -> None:
        local = self._inside.pop()
        point = self._point
        if point is None:
            return
        if local == "time" and self._inside[-1] == "trkpt":
            point[TIME] = "".join(self._text)
        elif local == "speed":
            point[SPEED] = "".join(self._text)
        elif local == "accuracy":
            point[ACCURACY] = "".join(self._text)
        elif local == "trkpt":
            self.points.append(point)
            self._point = None
