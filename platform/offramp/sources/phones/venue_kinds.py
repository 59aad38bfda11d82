"""What there is in a town: kinds of venues with their types, brands, opening hours and numbers.

Brands are invented. Types go from general to special.
"""

from __future__ import annotations

from dataclasses import dataclass

_SHOP = "Mo-Fr 09:00-18:00; Sa 10:00-16:00"
_FOOD_SHOP = "Mo-Fr 08:00-21:00; Sa 09:00-19:00"
_KITCHEN = "Mo-Su 11:30-22:30"
_EVENING = "Mo-Th 16:00-00:00; Fr-Sa 16:00-03:00; Su 16:00-23:00"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of venue. ``counts`` are for villages, towns and cities; no brands means a name of its own each."""

    name: str
    types: tuple[str, ...]
    counts: tuple[int, int, int]
    hours: str | None = None
    brands: tuple[str, ...] = ()


def _restaurant(cuisine: str, counts: tuple[int, int, int], *brands: str) -> Kind:
    return Kind(f"restaurant.{cuisine}", ("food", "restaurant", cuisine), counts, _KITCHEN, brands)


KINDS = (
    Kind("supermarket", ("shop", "food", "supermarket"), (1, 3, 8), _FOOD_SHOP, ("Kornmarked", "Daglig", "Fresco 7")),
    Kind("bakery", ("shop", "food", "bakery"), (0, 2, 4), "Mo-Sa 07:00-17:00", ("Boller & Brood",)),
    Kind("clothes", ("shop", "retail", "clothes"), (0, 2, 6), _SHOP, ("Nordtra", "Linea Due")),
    Kind("mall", ("shop", "general", "mall"), (0, 1, 2), "Mo-Sa 10:00-20:00", ("Galleria",)),
    Kind("diy", ("shop", "diy", "hardware"), (0, 1, 2), _SHOP, ("Byggfast",)),
    Kind("pets", ("shop", "animals", "petshop"), (0, 1, 2), _SHOP, ("Pelskompis",)),
    Kind("beauty", ("shop", "beauty", "cosmetics"), (0, 1, 3), _SHOP, ("Velvetine",)),
    Kind("books", ("shop", "stationery", "books"), (0, 1, 2), _SHOP, ("Side 451",)),
    Kind("hobby", ("shop", "hobby", "sportsequipment"), (0, 1, 2), _SHOP, ("Utefolk",)),
    Kind("pharmacy", ("shop", "health", "pharmacy"), (0, 1, 3), _SHOP, ("Grønt Kors",)),
    Kind("gas", ("travel", "gasstation", "fuel"), (1, 2, 5), "24/7", ("Tankpunkt", "Orbital", "Petra")),
    _restaurant("italian", (0, 1, 4), "Tavola Rossa"),
    _restaurant("asian", (0, 1, 4), "Nudelhus"),
    _restaurant("fastfood", (0, 2, 5), "Burger Quadrat", "Snabb"),
    _restaurant("french", (0, 0, 2)),
    _restaurant("mexican", (0, 0, 2), "Cantina Cactus"),
    _restaurant("greek", (0, 1, 1)),
    _restaurant("grill", (1, 1, 2)),
    _restaurant("seafood", (0, 0, 2)),
    _restaurant("snack", (0, 1, 3), "Frituur Max"),
    _restaurant("international", (0, 1, 3)),
    Kind("cafe", ("drinks", "cafe"), (1, 3, 8), "Mo-Su 07:30-19:00", ("Kaffebar Nord", "Espresso Sette")),
    Kind("bar", ("drinks", "bar"), (0, 3, 8), _EVENING, ("The Anchor", "Taproom 9")),
    Kind("club", ("drinks", "club"), (0, 0, 2), "Fr-Sa 22:00-04:00"),
    Kind("gym", ("sport", "activity", "fitness", "sportscentre"), (0, 2, 5), "Mo-Su 06:00-23:00", ("Kraftrom",)),
    Kind("pool", ("sport", "activity", "water", "swimming", "swimmingpool"), (0, 1, 3), "Mo-Su 06:30-21:30"),
    Kind("school", ("education", "school"), (1, 3, 5), "Mo-Fr 07:30-17:00"),
    Kind("university", ("education", "university"), (0, 0, 2), "Mo-Sa 07:00-22:00"),
    Kind("office", ("office", "private", "commercial"), (1, 8, 30)),
    Kind("warehouse", ("industrial", "warehouse"), (1, 4, 8)),
    Kind("park", ("leisure", "park"), (2, 3, 8), "24/7"),
    Kind("forest", ("leisure", "nature", "forest"), (1, 1, 2), "24/7"),
    Kind("beach", ("leisure", "beach"), (0, 1, 2), "24/7"),
    Kind("cinema", ("leisure", "cinema"), (0, 1, 3), "Mo-Su 12:00-00:30", ("Kinorama",)),
    Kind("museum", ("culture", "museum"), (0, 1, 4), "Tu-Su 10:00-18:00"),
    Kind("hospital", ("health", "hospital"), (0, 1, 2), "24/7"),
    Kind("clinic", ("health", "doctor"), (1, 1, 3), "Mo-Fr 08:00-16:00"),
    Kind("church", ("religion", "church"), (1, 1, 3)),
    Kind("hotel", ("travel", "hotel"), (1, 2, 6), "24/7", ("Hotel Meridian", "Stay Inn")),
)

BUS_STOP = Kind("bus", ("travel", "publictransport", "bus", "busstop"), (0, 0, 0))
TRAM_STOP = Kind("tram", ("travel", "publictransport", "tram", "tramstop"), (0, 0, 0))
STATION = Kind("train", ("travel", "publictransport", "railway", "train", "trainstation"), (0, 0, 0))
AIRPORT = Kind("airport", ("travel", "airport", "aerodrome"), (0, 0, 0), "24/7")
EVERY = (*KINDS, BUS_STOP, TRAM_STOP, STATION, AIRPORT)
NUMBER = {kind.name: number for number, kind in enumerate(EVERY)}
