"""Words of the demo, among them every kind of text that has broken an export."""

from __future__ import annotations

# Separators, enclosures, line ends, blanks that must survive, formulas, scripts, marks, and what looks like NULL.
ODD = (
    'said "no"', '"', '""quoted""', "semi;colon", "comma, here", "tab\there", "pipe|d", "it's", "back\\slash", "\\N",
    "line\nfeed", "carriage\rreturn", "both\r\nof them", "\nleading", "trailing\n", "two\n\nlines", "\r\n",
    " leading blank", "trailing blank ", "  ", "\u00a0no-break\u00a0", "=1+1", "@SUM(A1:A9)", "+47 000", "-1",
    "NULL", "null", "0", "007", "1e5", "true", "{json: 'not'}", "<b>&amp;</b>", "100 %", "a\u0301 combining e\u0308",
    "Åse Ødegård", "Straße", "日本語テスト", "한국어", "مرحبا بالعالم", "שלום עולם", "\u202eright-to-left\u202c",
    "🎬", "👩‍👩‍👧‍👦 family", "🇳🇴", "e\u0301\u0323", "\ufeffmark", "zero\u200bwidth", "line\u2028separator",
    "\x0bvertical", "\x7f", "\u017ft ligature \ufb01", "Ω≈ç√∫", "\U0001d518\U0001d52b",
)  # fmt: skip

FIRST_NAMES = (
    "Anna", "Åse", "Bjørn", "Chloë", "D'Arcy", "Eła", "Fatima", "Günther", "Håkon", "Ida", "Jürgen", "Kari", "Liv",
    "Mária", "Nils", "Olga", "Per", "Renée", "Søren", "Þóra", "Ulla", "Vår", "Wanda", "Yngve", "Zoë", "José María",
)  # fmt: skip
LAST_NAMES = (
    "Andersen", "Berg", "Björk", "Dahl", "Ek", "Fjeld", "García Márquez", "Haugen", "Ibsen", "Jansson", "Kowalski",
    "Lund", "Müller", "Næss", "O'Brien", "Østby", "Petersen", "Quist", "Rømer", "Sørli", "van den Berg", "Wójcik",
)  # fmt: skip
ADJECTIVES = (
    "Silent", "Northern", "Last", "Burning", "Hidden", "Golden", "Broken", "Midnight", "Wild", "Frozen", "Lost",
    "Little", "Seventh", "Crimson", "Endless", "Electric",
)  # fmt: skip
NOUNS = (
    "Harbour", "Forest", "Derby", "Kitchen", "Detective", "Fjord", "Season", "Witness", "Orchestra", "Summit",
    "Island", "Letters", "Winter", "Marathon", "Lighthouse", "Archive",
)  # fmt: skip
TITLES = tuple(f"{adjective} {noun}" for adjective in ADJECTIVES for noun in NOUNS)
SENTENCES = (
    "A quiet town wakes to a strange light.",
    "Two rivals meet again, ten years later.",
    "Highlights, interviews and the full table.",
    "How bread is baked, in twelve parts.",
    "The season's last match, live from the stadium.",
    "A family drama in four acts.",
    "Everything that you did not ask about whales.",
    "Nothing is what it was before the storm.",
)
KEYWORDS = ("drama,family", "sport,live,football", "news", "documentary,nature", "crime,nordic", "food", "kids,cartoon")
GENRES = ("Drama", "Sport")
CHANNELS = ("One", "Two", "Plus")
PLATFORMS = ("web", "mobile", "tablet", "tv", "console", "partner-box", "kiosk")
REGIONS = ("nordics", "benelux", "world")
EMAIL_STATES = ("VERIFIED", "VERIFIED", "VERIFIED", "UNVERIFIED", "BOUNCED")
GENDERS = ("female", "male", "other")
COUNTRIES = {
    "aurora": ("NO", "NO", "NO", "NO", "SE", "SE", "DK", "FI", "IS"),
    "borealis": ("DE", "DE", "DE", "PL", "PL", "NL", "AT", "CZ"),
}
ISPS = ("Nordlys AS", "Fjordnett", 'Kabel "Süd" GmbH', "Telekom; West", "Sieć Północ", "Access, Inc.")
DEVICES = ("web", "mobile", "tv", "tablet")
USER_AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15",
    'Player/3.1 (TV; "UltraView 55"; webOS)',
    "okhttp/4.12.0",
    "VLC/3.0.20 LibVLC/3.0.20",
)
POOLS = ("Spring sale", "Partner cards", "Winback", "Students", "Press", "Christmas calendar")
PREFIXES = ("SPR", "00", "WIN-", "X", "Ä1")
