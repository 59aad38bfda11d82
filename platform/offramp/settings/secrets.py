"""Where secrets stand in URLs and connection texts, in every spelling that a server's answer may repeat."""

from __future__ import annotations

import re
from urllib.parse import quote, quote_plus, unquote, unquote_plus

CREDENTIALS = re.compile(r"://[^/?#]*?:(?P<password>.*)@")
SHORTEST = 4
"""Characters of a secret that is taken out of texts: a shorter one stands in every second word."""
# Shorter lines of a key are braces and names.
_LINE = 20
_PASSWORD = re.compile(r"(?i)password\s*=\s*(?:'(?P<quoted>[^']*)'|(?P<plain>[^\s&]+))")


def secret_parts(url: str) -> set[str]:
    """Return the passwords of a URL or connection text, as they are, decoded and encoded, and the text around them."""
    passwords = passwords_of(url)
    # Where an @ of a password is not escaped, a server takes what stands behind it for a host, and says so.
    passwords += [part for one in tuple(passwords) for part in one.split("@") if part]
    long = (password for password in passwords if len(unquote(password)) >= SHORTEST)
    return {url}.union(*map(spellings, long)) if passwords else set()


def passwords_of(url: str) -> list[str]:
    """Return the passwords that stand in a URL or connection text, as they are written there."""
    found = [match["password"] for match in CREDENTIALS.finditer(url)]
    found += [match["quoted"] or match["plain"] for match in _PASSWORD.finditer(url)]
    return [password for password in found if password]


def spellings(secret: str) -> set[str]:
    """Return a secret as it is, decoded and encoded; of a key of several lines each line that is long enough, too."""
    found = {form(secret) for form in (str, unquote, unquote_plus)}
    found |= {form(one) for one in tuple(found) for form in (quote, quote_plus, lambda text: quote(text, safe=""))}
    lines = [line.strip() for line in secret.splitlines()]
    found = {form for form in found if len(form) >= SHORTEST}
    return found | {line for line in lines if len(lines) > 1 and len(line) >= _LINE and "-----" not in line}
