"""Where secrets stand in URLs and connection texts, in every spelling that a server's answer may repeat."""

from __future__ import annotations

import re
from urllib.parse import quote, quote_plus, unquote, unquote_plus

CREDENTIALS = re.compile(r"://[^/?#]*?:(?P<password>.*)@")
# Shorter lines of a key are braces and names.
_LINE = 20
_PASSWORD = re.compile(r"(?i)password\s*=\s*(?:'(?P<quoted>[^']*)'|(?P<plain>[^\s&]+))")


def secret_parts(url: str) -> set[str]:
    """Return the passwords of a URL or connection text, as they are, decoded and encoded, and the text around them."""
    passwords = [match["password"] for match in CREDENTIALS.finditer(url)]
    # Where an @ of a password is not escaped, a server takes what stands behind it for a host, and says so.
    passwords += [part for one in tuple(passwords) for part in one.split("@")]
    passwords += [match["quoted"] or match["plain"] for match in _PASSWORD.finditer(url)]
    known = [password for password in passwords if password]
    return {url}.union(*map(spellings, known)) if known else set()


def spellings(secret: str) -> set[str]:
    """Return a secret as it is, decoded and encoded; of a key of several lines each line that is long enough, too."""
    found = {form(secret) for form in (str, unquote, unquote_plus)}
    found |= {form(one) for one in tuple(found) for form in (quote, quote_plus, lambda text: quote(text, safe=""))}
    lines = [line.strip() for line in secret.splitlines()]
    return found | {line for line in lines if len(lines) > 1 and len(line) >= _LINE and "-----" not in line}
