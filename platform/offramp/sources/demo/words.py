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
# products: providers with their method of payment.
PAYMENT_PROVIDERS = (
    ("Nordkort", "CREDITCARD"), ("Klarna", "KLARNA"), ("Pengepung", "MOBILE"), ("App market", "IN_APP"),
    ("Gift cards", "VOUCHER"), ('Faktura "Søndre" AS', "INVOICE"),
)  # fmt: skip
# descriptions: who owns categories, what assets are tagged with, and what is told about both.
TENANT_LANGUAGES = {"aurora": "nb_NO", "borealis": "de_DE"}
TENANT_NAMES = {
    "aurora": ("Aurora Play", "Aurora", "Aurora +"),
    "borealis": ("Borealis TV", 'Borealis "Plus"', "Borealis; Video"),
}
TENANT_ZONES = {"aurora": ("Europe/Oslo", "NOK"), "borealis": ("Europe/Berlin", "EUR")}
PUBLISHER_COUNTRIES = ("NO", "DE", "SE", "PL", "GB")
PUBLISHERS = {
    "aurora": ("Fjordfilm AS", "Nordlys & Sønner", 'Studio "Havn"', "Åsgard TV"),
    "borealis": ("Spreefilm GmbH", "Müller; Partner KG", "Wydawnictwo Północ", "L'Atelier Süd"),
}
TAG_WORDS = (
    "christmas", "cup final", "dark", "feel-good", "for the weekend", "in the archive", "Kari Nordmann", "nordic noir",
    "on ice", "outdoors", "Øyvind Lund", "slow", "Søren Berg", "true story", "Zoë Müller", "ski jumping",
)  # fmt: skip
TAG_TYPES = ("EDITORIAL", "PERSON", "SPORT", "MOOD")
ASSET_FACTS = {
    "title": TITLES,
    "synopsis": SENTENCES,
    "genre": ("drama", "crime", "sport", "documentary", "kids", "news", "krimi", "Natur & Umwelt"),
    "production-year": ("1968", "1985", "1999", "2007", "2014", "2019", "2022", "2024", "2025"),
    "production-country": ("NO", "DE", "SE", "GB", "US", "NO,SE", "DE;AT"),
    "age-limit": ("0", "6", "9", "12", "15", "18"),
    "director": ("Astrid Østby", 'Jan "Janne" Ek', "M. García Márquez", "Ulla O'Brien", "Wanda Wójcik"),
    "aspect-ratio": ("16:9", "4:3", "2.39:1"),
}
CATEGORY_FACTS = {
    "title": TITLES,
    "synopsis": SENTENCES,
    "colour": ("#0a3d62", "#e55039", "#f6b93b", "#78e08f"),
    "contact": ("editors@example.org", "desk@example.com", "+47 000 00 000"),
}
SUBTITLE_LOCALES = {
    "aurora": (("nob", "Norsk"), ("swe", "Svenska"), ("eng", "English")),
    "borealis": (("deu", "Deutsch"), ("pol", "Polski"), ("eng", "English")),
}
SUBTITLE_TYPES = ("NORMAL", "NORMAL", "NORMAL", "HEARING_IMPAIRED", "FORCED")
SUBTITLE_CONTENTS = ('text/vtt;charset="UTF-8"', 'text/vtt;charset="UTF-8"', 'application/ttml+xml;charset="UTF-8"')
# files: why a file leaves a server.
REMOVAL_REASONS = ("EXPIRED", "EXPIRED", "REPLACED", "MANUAL")
# products: groups with their way of access (the fourth opens one category, the fifth one asset); periods with their
# payment type and their length in seconds, which a calendar month does not have; payment and transaction types.
PRODUCT_GROUPS = (
    ("Basic", "PAID"), ("Premium", "PAID"), ("Sport & more", "PAID"), ("One channel", "PAID"), ("Rentals", "PAID"),
    ("Free", "FREE"), ("Newsroom", "LOGIN"), ('Classic "2019"', "PAID"),
)  # fmt: skip
PRODUCT_PERIODS = (
    ("Month", 1, "P30D", 2_592_000), ("Year", 1, "P365D", 31_536_000), ("Calendar month", 1, "P1M", None),
    ("Week", 1, "P7D", 604_800), ("Two days", 2, "PT172800S", 172_800), ("Season", 2, "P180D", 15_552_000),
    ("Day", 2, "P1D", 86_400), ("Free month", 3, "P30D", 2_592_000),
)  # fmt: skip
PAYMENT_TYPES = (
    ("SUBSCRIPTION", "Paid again when each period begins"), ("SINGLE", "Paid once"), ("FREE", None),
)  # fmt: skip
TRANSACTION_TYPES = (
    ("PURCHASE", 1, "First payment of an order"), ("RENEWAL", 1, "Payment of a later period"),
    ("REFUND", -1, "Money given back by us"), ("UPGRADE", 1, None), ("VOUCHER", 0, "Paid with a voucher, in full"),
    ("CHARGEBACK", -1, "Money taken back by the bank; see the provider's notice"),
)  # fmt: skip
# people: what stands in users_login_logout.
AGENTS = (*USER_AGENTS * 30, *ODD)
SESSION_ENDS = ("LOGOUT", "LOGOUT", "SESSION_EXPIRED")
# accounts: sub-profiles, user properties and payment methods.
PROFILE_IDS = ("main", "kids", "guest", "Stue", "living room", "søndag;kveld")
PROFILE_GENDERS = ("M", "F", "F", "M", "X")
AGE_LIMITS = ("0+", "7+", "10+", "13+", "16+", "18+")
AVATARS = ("fox", "owl", "lynx", "whale", "robot")
LANGUAGES = ("nb", "nn", "se", "de", "pl", "en")
# Name, hidden from the user, may be changed by the user.
USER_PROPERTIES = (
    ("newsletter", False, True), ("favourite-team", False, True), ("start page", False, True),
    ("crm-segment", True, False), ("signup-campaign", True, False), ("household_size", False, False),
)  # fmt: skip
USER_VALUES = ("yes", "no", "weekly", "Rosenborg BK", "B-17", "2", "home/sport", "autumn 2025")
# How a provider's methods of payment are stored, cards far more often; what has no pair here is not stored.
STORED_METHODS = (
    *(("CREDITCARD", "CREDIT_CARD"),) * 5, ("MOBILE", "MOBILE"), ("KLARNA", "DIRECT_DEBIT"),
    ("INVOICE", "DIRECT_DEBIT"),
)  # fmt: skip
CURRENCIES = {"aurora": "NOK", "borealis": "EUR"}
CARD_STARTS = ("378282", "411111", "555555", "401288", "510510", "222300")
CAPTURES = ("CAPTURED", "CAPTURED", "CAPTURED", "DECLINED 05", "TIMEOUT", "DECLINED 51; retry")
# voucher_service: names of campaigns and discounts, and who makes campaigns.
CAMPAIGNS = (
    "Autumn return", "Cup final week", "Friends & family", "Back to school", "Press access", 'Partner "Nordbank"',
    "Black; week", "Anniversary", "Summer trial", "Telco bundle",
)  # fmt: skip
DISCOUNTS = ("Half price", "First month free", "Loyalty", "Two weeks on us", "Launch offer", "Partner, 20 %")
CAMPAIGN_AUTHORS = ("marketing", "ida.berg", "p.o'brien@example.org", "crm-robot", "Þóra Ek")
# orders: how references begin, and what customer care writes.
ORDER_REFERENCES = ("A-", "A-", "A-", "00", "R/")
REFERRERS = ("reseller-north", "Shop & Co", "example.org/offer?a=1&b=2", "friend", "tv-spot")
APPS = ("web", "ios", "android", "smart-tv", "Partner box 2.0")
CAMPAIGN_CODES = ("SPRING24", "WINBACK-10", "007", "student", "1e3")
STOP_REASONS = (
    "Too expensive", "Nothing to watch", "Only wanted the cup final", "Moved abroad", "Technical problems; see notes",
    "Other, not told",
)  # fmt: skip
AGENTS_OF_CARE = ("kari.n", "ole", "Support, team 2", "d'arcy.b", "Zoë W.")
CARE_NOTES = (
    "Called about the invoice.", "Asked to stop at the end of the period.", "Refund promised, see mail.",
    'Says that "the picture freezes" on the TV.', "Voucher did not work: reissued.", "Wants the yearly price.",
    "Duplicate account?\tTo be merged.", "No answer; call again on Monday.",
)  # fmt: skip
# churn: what speaks most for the end of a subscription, by the names of churn_training where it has them.
CHURN_REASONS = ("tenure_days", "views_30d", "days_since_last_view", "price", "logins_30d", "voucher_used")
# acquisition: owners of content, titles in the language of origin, and ratings.
OWNERS = (
    "Nordfilm", "Studio Węgiel", "Ligaen AS", "Babel & Sons; Distribution", "Kanal Öst", 'Verlag "Süd" GmbH',
    "Deep Sea Pictures", "Ishavet Film",
)  # fmt: skip
TITLES_ABROAD = (
    "Den stille skogen", "Zima nad fiordem", "Das letzte Orchester", "Мороз и солнце", "七人の証人", "Sommerøya",
    "L'été d'avant", "Żółty dom", "Kveldsnytt, igjen",
)  # fmt: skip
RATINGS = ("A", "6", "9", "12", "FSK 16", "18", "7+")
# payments: what providers say of each status.
STATUS_TEXTS = {
    "INITIALIZE": "Purchase initialized", "AUTHORIZED": "Amount reserved", "CAPTURED": "Captured, thank you",
    "FAILED": "Declined: insufficient funds", "CREDITED": "Given back; see refund", "CANCELLED": 'User pressed "Back"',
}  # fmt: skip
RESPONSE_CODES = {
    "INITIALIZE": None, "AUTHORIZED": "00", "CAPTURED": "00", "FAILED": "51", "CREDITED": "0", "CANCELLED": "E-1007",
}  # fmt: skip
# audits: who works on the service, and what they note.
STAFF = ("anna.berg", "o.lund", "per.ibsen", "svc desk 2", "åse.dahl", "j.kowalski@partner.example")
SERVICES = ("importer", "renewals", "scheduler", "voucher-service", "erasure")
REMARKS = (
    "Asked for by the customer.", "Wrong title; corrected.", "See the ticket of today.", "Bulk change", "Rights ended",
    'Checked with the publisher, "as agreed".', "-", "Test",
)  # fmt: skip
