"""Names of countries as their people write them: Norge, not Norway (mobility_offloads.md, section 3, column 8).

The name is that of the country's first official language, by the order of speakers in CLDR (Babel), so one of
several: Belgium is België (of België, Belgique and Belgien), Switzerland is Schweiz, Canada is Canada.
"""

from __future__ import annotations

from functools import cache

from babel import Locale, UnknownLocaleError
from babel.languages import get_official_languages


@cache
def country_name(code: str) -> str:
    """Return the name of a country by its ISO 3166 code; in English where CLDR does not know its language."""
    for language in (*get_official_languages(code, de_facto=True), "en"):
        try:
            name = Locale.parse(language).territories.get(code)
        except UnknownLocaleError:
            continue
        if name:
            return str(name)
    return code
