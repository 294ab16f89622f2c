"""Turn a report's HTML into an archivable PDF with WeasyPrint: tagged, fonts embedded, nothing fetched.

The file is the same for the same page and fonts: it holds no date, and its identifier follows from
the page.  What it claims in its metadata is PDF/A-2a (ISO 19005-2, level A); WeasyPrint writes what the
claim needs as far as it knows, and two things that it leaves to the page are done here: no glyph is
missing, and every figure has words.
"""

from __future__ import annotations

import hashlib
import logging
import re
import unicodedata
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from her2path.errors import ConfigError

if TYPE_CHECKING:
    from types import ModuleType

VARIANT = "pdf/a-2a"
"""Archive without attachments, with a tag tree and text that maps to Unicode.  Part 3 would only add
attachments of any kind, which some archives refuse."""
_MISSING_GLYPH = re.compile(r"\.notdef glyph .*\(U\+([0-9A-F]{4,6})\)$", re.DOTALL)
_OVERRIDES = "\u202d\u202e"
_WITHOUT = "or do without report.pdf: `pdf: false` in the configuration, `--no-pdf` for a single image"
_NO_PANGO = (
    "PDF reports are drawn with Pango, which cannot be loaded here ({reason}); install it (Debian and "
    "Ubuntu: `apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0`; conda: `conda install "
    f"pango`; macOS: `brew install pango`), {_WITHOUT}"
)
_NO_FONTS = (
    "PDF reports need a font, and none is installed here; install one (Debian and Ubuntu: `apt install "
    f"fonts-liberation fonts-dejavu-core`), {_WITHOUT}"
)


def write_pdf(html: str) -> bytes:
    """Lay out a page on sheets of paper.

    Parameters
    ----------
    html : str
        A complete document with its language and title; every picture is a data URI.

    Returns
    -------
    bytes
        The PDF.  A character that no installed font can draw is written as its code, as in ``[U+1F9EC]``:
        a missing glyph would be an empty box to a reader, and is not allowed in an archive.

    Raises
    ------
    ConfigError
        Pango is not installed.
    """
    weasyprint = load_weasyprint()
    html = printable(html)
    with _complaints() as found:
        pdf = _written(weasyprint, html)
    missing = {chr(int(told[1], 16)) for line in found if (told := _MISSING_GLYPH.search(line))}
    if not missing:
        return pdf
    with _complaints():
        return _written(weasyprint, _spelt_out(html, missing))


def load_weasyprint() -> ModuleType:
    """Import WeasyPrint; ConfigError with the remedy where Pango or all fonts are missing."""
    from PIL import ImageFile  # noqa: PLC0415  (as WeasyPrint below)

    takes_cut_off = ImageFile.LOAD_TRUNCATED_IMAGES
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            # Loads Pango and half a second of Python, which only this step needs.
            import weasyprint  # noqa: PLC0415
        except OSError as error:
            reason = str(error).partition("\n")[0]
            raise ConfigError((_NO_PANGO.format(reason=reason),)) from error
        finally:
            # It lets Pillow take cut-off pictures for whole ones in the whole process; an image that is read
            # after a PDF was made must be refused like any other.
            ImageFile.LOAD_TRUNCATED_IMAGES = takes_cut_off
    # Without any font, of which it warns here alone, Pango would end the whole process.
    if any("FontConfig" in str(warning.message) for warning in told):
        raise ConfigError((_NO_FONTS,))
    module: ModuleType = weasyprint
    return module


def printable(text: str) -> str:
    r"""Replace characters that neither XML metadata nor archives know.

    Control characters become the replacement mark.  Private ones become their code, since nobody can tell
    what a font draws for them, and so do those that turn the direction of letters: a word that reads
    otherwise than it is written has no place in a report.

    Examples
    --------
    >>> printable("a\x00b\n\u200f\ue000 \u202eevitisop")
    'a\ufffdb\n\u200f[U+E000] [U+202E]evitisop'
    """
    # Pictures make a page long, of few different characters.
    return text.translate({ord(character): _printable(character) for character in set(text)})


def _printable(character: str) -> str:
    kind = unicodedata.category(character)
    if kind == "Co" or character in _OVERRIDES:
        return _code(character)
    is_control = kind in {"Cc", "Cs"} and character not in "\n\t"
    return "\N{REPLACEMENT CHARACTER}" if is_control else character


def _code(character: str) -> str:
    return f"[U+{ord(character):04X}]"


def _written(weasyprint: ModuleType, html: str) -> bytes:
    # A page names no address; a planted one is refused instead of asked for.
    fetcher = weasyprint.urls.URLFetcher(allowed_protocols={"data"})
    identifier = hashlib.sha256(html.encode()).hexdigest()[:32].encode()
    with warnings.catch_warnings():
        # WeasyPrint leaves the file of its colour profile to the garbage collector.
        warnings.simplefilter("ignore", ResourceWarning)
        document = weasyprint.HTML(string=html, url_fetcher=fetcher)
        pdf: bytes = document.write_pdf(pdf_variant=VARIANT, pdf_identifier=identifier)
    return pdf


def _spelt_out(html: str, missing: set[str]) -> str:
    return "".join(_code(c) if c in missing else c for c in html)


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """Collect what WeasyPrint complains of; it has no other way to tell of a missing glyph."""
    found: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.getMessage())

    logger, collector = logging.getLogger("weasyprint"), Collector()
    propagated, logger.propagate = logger.propagate, False
    logger.addHandler(collector)
    try:
        yield found
    finally:
        logger.removeHandler(collector)
        logger.propagate = propagated
