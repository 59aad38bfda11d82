"""Where secrets stand in URLs and connection texts, in every spelling that a server's answer may repeat."""

from __future__ import annotations

import re
from urllib.parse import quote, quote_plus, unquote, unquote_plus

CREDENTIALS = re.compile(r"://[^/?#]*?:(?P<password>.*)@")
_PASSWORD = re.compile(r"(?i)password\s*=\s*(?:'(?P<quoted>[^']*)'|(?P<plain>[^\s&]+))")


def secret_parts(url: str) -> set[str]:
    """Return the passwords of a URL or connection text, as they are, decoded and encoded, and the text around them."""
    passwords = [match["password"] for match in CREDENTIALS.finditer(url)]
    # Where an @ of a password is not escaped, a server takes what stands behind it for a host, and says so.
    passwords += [part for one in tuple(passwords) for part in one.split("@")]
    passwords += [match["quoted"] or match["plain"] for match in _PASSWORD.finditer(url)]
    known = [password for password in passwords if password]
    spellings = {form(one) for one in known for form in (str, unquote, unquote_plus)}
    spellings |= {
        form(one) for one in tuple(spellings) for form in (quote, quote_plus, lambda text: quote(text, safe=""))
    }
    return {*spellings, url} if known else set()
