"""People whose habits are known, with the segments that follow from them and some that must not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from platform_tests.mobility.models.lives import BAR, GYM, HOME, MADRID, SCHOOL, WORK, Life
from platform_tests.mobility.models.segment_weeks import WORKDAYS, Outing, Walk, live, spot, weekly

DINE = "leisure.wining_and_dining."
CUISINES = (
    "american", "asian", "fastfood", "french", "german", "greek", "grill", "international", "italian", "mexican",
    "seafood", "snack",
)  # fmt: skip
OFFICE = Outing(WORK, 1, 8.5, 16.5, minutes=25, metres=15000)
TAVERN = spot(20, "food", "restaurant", "italian", brand="Tavola")
GREEK = spot(19, "food", "restaurant", "greek")
CAFE = spot(21, "drinks", "cafe", brand="Nord")
CLUB = spot(22, "drinks", "club")
BAKERY = spot(23, "shop", "food", "bakery")
CLOTHES = spot(24, "shop", "retail", "clothes", brand="Linea")
BEAUTY = spot(25, "shop", "beauty", "cosmetics")
MARKET = spot(26, "shop", "food", "supermarket", brand="Daglig")
FUEL = spot(27, "travel", "gasstation", "fuel", brand="Petra")
MUSEUM = spot(28, "culture", "museum")
ARCADE = spot(29, "leisure", "arcade")
FOREST = spot(30, "leisure", "nature", "forest")
HARDWARE = spot(31, "shop", "diy", "hardware")
PETSHOP = spot(32, "shop", "animals", "petshop")
UNIVERSITY = spot(33, "education", "university")
CLIENT = spot(34, "office", "private")
TOWN_HOME, TOWN_WORK = replace(HOME, city_type="town"), replace(WORK, city_type="town")
LAND_HOME, LAND_WORK = replace(HOME, city_type="rural"), replace(WORK, city_type="rural")


@dataclass(frozen=True, slots=True)
class Persona:
    """A life, the segments that it must have and parts of ids that none of its segments may have."""

    life: Life
    has: tuple[str, ...] = ()
    has_not: tuple[str, ...] = ()


def _leaves_at(hour: float) -> tuple[Outing | Walk, ...]:
    return weekly(WORKDAYS, Outing(WORK, 1, hour + 1 / 3, 16))


def _flyer() -> Life:
    life = live("flyer", weekly(WORKDAYS, OFFICE), last=date(2018, 11, 15))
    for day in (16, 19, 22):
        life.go("flight", f"2018-11-{day} 10:00", f"2018-11-{day} 13:00", end_zone="Europe/Madrid", metres=2_400_000)
        life.at(MADRID, f"2018-11-{day} 13:30", f"2018-11-{day + 1} 09:00")
    return life


def _diner() -> Life:
    outings = [
        Outing(spot(40 + number, "food", "restaurant", cuisine), 1 + number % 6, 12 + 7 * half, 13.5 + 7 * half)
        for number, cuisine in enumerate(CUISINES)
        for half in [number // 6]
    ]
    return live("diner", outings)


def workers() -> dict[str, Persona]:
    """People by how they work and get there."""
    night = weekly(WORKDAYS, Outing(WORK, 1, 22, 30))
    daily = weekly(WORKDAYS, OFFICE)
    client = tuple(
        one for day in (2, 4)
        for one in (
            Outing(WORK, day, 9, 11, goes_on=True),
            Outing(CLIENT, day, 12, 14, minutes=45, metres=45000, goes_on=True),
            Outing(WORK, day, 15, 17, minutes=45, metres=45000),
        )
    )  # fmt: skip
    return {
        "office": Persona(
            live("office", daily),
            (
                "work_life.work.fulltime_worker", "work_life.work.city_worker", "work_life.home.city_home",
                "mobility.commute.normal_commuter", "mobility.driving.die_hard_driver",
                "mobility.transport.mobility.moderate", "leisure.wellbeing.physical_activity.limited",
                "work_life.social.social_activity.limited",
            ),
            (
                "early_bird", "night", "late", "part", "workaholic", "public", "green", "easy", "heavy", "home.home",
                "resto",
            ),
        ),
        "before half past seven": Persona(live("early", _leaves_at(7.49)), ("work_life.home.early_bird",)),
        "at half past seven": Persona(live("not early", _leaves_at(7.5)), (), ("early_bird",)),
        "before four": Persona(live("too early", _leaves_at(3.9)), (), ("early_bird",)),
        "far by train": Persona(
            live("far", weekly(WORKDAYS, Outing(WORK, 1, 9, 17, "train", 90, 60000))),
            (
                "mobility.commute.long_commuter", "mobility.commute.heavy_commuter", "mobility.commute.green_commuter",
                "mobility.transport.public_transports_commuter", "mobility.transport.public_transports_user",
                "mobility.transport.mobility.high",
            ),
            ("die_hard", "easy"),
        ),
        "near, with a dog": Persona(
            live(
                "near",
                (*weekly(WORKDAYS, Outing(WORK, 1, 9, 17, "walking", 15, 1200)), *weekly(range(1, 8), Walk(1, 19))),
                home=TOWN_HOME,
            ),
            (
                "mobility.commute.short_commuter", "mobility.commute.easy_commuter", "mobility.commute.green_commuter",
                "leisure.wellbeing.healthy_walker", "leisure.wellbeing.physical_activity.high",
                "work_life.home.dog_walker", "work_life.home.pet_owner", "work_life.home.town_home",
            ),
            ("die_hard", "biker", "public"),
        ),
        "nights": Persona(
            live("nights", night),
            ("work_life.work.nightworker", "work_life.work.fulltime_worker"),
            ("late_worker", "owl", "homeworker"),
        ),
        "three nights": Persona(
            live("three nights", weekly((1, 2, 3), Outing(WORK, 1, 22, 30))),
            ("work_life.work.nightworker",),
            ("homeworker",),
        ),
        "late": Persona(
            live("late", weekly(WORKDAYS, Outing(LAND_WORK, 1, 13, 21.5)), home=LAND_HOME),
            ("work_life.work.late_worker", "work_life.work.rural_worker", "work_life.home.rural_home"),
            ("nightworker",),
        ),
        "mornings": Persona(
            live("mornings", weekly((1, 2, 3, 4), Outing(TOWN_WORK, 1, 9, 13))),
            ("work_life.work.parttime_worker", "work_life.work.town_worker"),
            ("fulltime",),
        ),
        "always at work": Persona(
            live("always", weekly((1, 2, 3, 4, 5, 6), Outing(WORK, 1, 7.5, 18))),
            ("work_life.work.workaholic", "work_life.work.fulltime_worker"),
            ("balance",),
        ),
        "mostly from home": Persona(
            live("remote", [Outing(WORK, 1, 9, 17.5)]),
            (
                "work_life.work.homeworker", "work_life.home.homebody", "work_life.home.home_bound",
                "work_life.work.parttime_worker",
            ),
        ),
        "no work": Persona(
            live("none", []), ("work_life.home.homebody", "work_life.home.home_bound"), ("work_life.work",)
        ),
        "short nights": Persona(
            live("tired", weekly(range(1, 8), Outing(WORK, 1, 5.5, 23.5))), ("work_life.home.sleep_deprived",)
        ),
        "clients": Persona(live("clients", client), ("work_life.work.work_traveller",)),
        "flyer": Persona(_flyer(), ("mobility.travel.frequent_flyer",)),
    }  # fmt: skip


def idlers() -> dict[str, Persona]:
    """People by what they do when they do not work."""
    kindergarten = Outing(replace(SCHOOL, significance="poi"), 1, 8.2, 8.35, minutes=10, metres=2000, goes_on=True)
    parent = [
        one for day in WORKDAYS for one in (replace(kindergarten, weekday=day), replace(OFFICE, weekday=day, start=8.8))
    ]
    return {
        "parent": Persona(
            live("parent", parent), ("work_life.family.uber_parent", "mobility.commute.normal_commuter"), ("student",)
        ),
        "courier": Persona(
            live(
                "courier",
                [
                    Outing(stop, day, 8 + turn, 8.2 + turn, minutes=30, metres=12000, goes_on=turn < 7)
                    for day in WORKDAYS
                    for turn in range(8)
                    for stop in [kindergarten.spot if turn == 1 else CLIENT]
                ],
            ),
            ("mobility.driving.die_hard_driver",),
            ("uber_parent",),
        ),
        "many schools": Persona(
            live("schools", [Outing(spot(60 + one, "education", "school"), one, 8, 8.2) for one in WORKDAYS]),
            ("work_life.family.uber_parent",),
        ),
        "homely drinker": Persona(
            live("homely drinker", [Outing(BAR, 5, 19, 21)]),
            ("leisure.entertainment.bar_goer",),
            ("homebody",),
        ),
        "homely and social": Persona(
            live("homely and social", weekly((2, 4, 6), Outing(MUSEUM, 1, 13, 16))),
            ("work_life.social.social_activity.high",),
            ("homebody",),
        ),
        "homely with one evening in two weeks": Persona(
            live("homely evening", [Outing(TAVERN, 5, 19, 21)], each=lambda monday: monday.isocalendar().week % 2 == 0),
            ("work_life.home.homebody",),
            ("bar_goer",),
        ),
        "student": Persona(
            live("student", weekly(WORKDAYS, Outing(UNIVERSITY, 1, 9, 15))), ("work_life.work.student",)
        ),
        "biker": Persona(
            live("biker", weekly(WORKDAYS, Outing(WORK, 1, 9, 17, "biking", 24, 6000))),
            ("leisure.wellbeing.healthy_biker", "leisure.wellbeing.physical_activity.moderate"),
            ("walker",),
        ),
        "sportive": Persona(live("sport", weekly((1, 3, 5), Outing(GYM, 1, 18, 19))), ("leisure.wellbeing.sportive",)),
        "balanced": Persona(
            live("balance", (*weekly(WORKDAYS, Outing(WORK, 1, 9, 17)), *weekly((3, 6), Outing(TAVERN, 1, 19, 22)))),
            ("work_life.home.work_life_balance", "work_life.social.social_activity.moderate"),
        ),
        "nightlife": Persona(
            live("night out", (*weekly((5, 6), Outing(CLUB, 1, 23, 26.5)), *weekly((2, 4), Outing(BAR, 1, 19, 21)))),
            (
                "leisure.entertainment.clubber", "leisure.entertainment.bar_goer", "work_life.home.night_owl",
                "leisure.wining_and_dining.brand_loyal.bar", "work_life.social.social_activity.high",
                f"{DINE}brand_loyalty.restaurant_bar",
            ),
        ),
        "shopper": Persona(
            live(
                "shopper",
                (
                    *weekly((1, 3, 6), Outing(CLOTHES, 1, 15, 16)), *weekly((2, 4, 6), Outing(MARKET, 1, 18, 18.5)),
                    Outing(BEAUTY, 6, 12, 13), Outing(BAKERY, 7, 9, 9.3), Outing(HARDWARE, 5, 17, 18),
                    Outing(PETSHOP, 5, 19, 19.4),
                ),
            ),
            (
                "leisure.shopping.fashionista", "leisure.shopping.beauty_queen", "leisure.shopping.foodie",
                "leisure.shopping.shopaholic", "leisure.shopping.brand_loyal.retail",
                "leisure.shopping.brand_loyalty.supermarket", "work_life.home.do_it_yourselver",
                "work_life.home.pet_owner",
            ),
            ("shopping.brand_loyalty.retail", "dog_walker", "gas_stations"),
        ),
        "loyal": Persona(
            live(
                "loyal",
                (
                    *weekly((1, 3), Outing(MARKET, 1, 18, 18.5)), *weekly((2, 4), Outing(CAFE, 1, 10, 11)),
                    *weekly((5, 6), Outing(TAVERN, 1, 19, 21)), Outing(FUEL, 7, 10, 10.2),
                ),
            ),
            (
                "leisure.shopping.brand_loyalty", "leisure.shopping.brand_loyalty.supermarket",
                f"{DINE}brand_loyal.cafe", f"{DINE}brand_loyal.restaurant", f"{DINE}brand_loyalty.restaurant_bar",
                "mobility.driving.brand_loyalty.gas_stations", f"{DINE}resto_lover", f"{DINE}resto_lover.italian",
            ),
            ("resto_lover.greek", "shopaholic", "foodie"),
        ),
        "diner": Persona(
            _diner(),
            (f"{DINE}resto_lover", *(f"{DINE}resto_lover.{one}" for one in CUISINES)),
            ("brand_loyal",),
        ),
        "three of five": Persona(
            live("three", (*weekly((1, 2, 3), Outing(TAVERN, 1, 19, 21)), *weekly((5, 6), Outing(GREEK, 1, 19, 21)))),
            (f"{DINE}brand_loyal.restaurant",),
        ),
        "half and half": Persona(
            live("half", (*weekly((1, 2), Outing(TAVERN, 1, 19, 21)), *weekly((5, 6), Outing(GREEK, 1, 19, 21)))),
            (f"{DINE}resto_lover",),
            ("brand_loyal",),
        ),
        "barkeeper": Persona(
            live("barkeeper", weekly(WORKDAYS, Outing(replace(BAR, significance="work"), 1, 17, 23))),
            ("work_life.work.fulltime_worker", "work_life.work.late_worker"),
            ("bar_goer", "brand_loyal", "activity.high"),
        ),
        "weekends": Persona(
            live(
                "weekends",
                (Outing(MUSEUM, 6, 13, 15), Outing(ARCADE, 6, 18, 20), *weekly((6, 7), Outing(FOREST, 1, 9, 11))),
            ),
            (
                "leisure.entertainment.culture_buff", "leisure.entertainment.gamer",
                "leisure.entertainment.nature_lover",
            ),
        ),
        "six days": Persona(live("six", weekly(WORKDAYS, OFFICE), first=date(2018, 11, 20)), (), ("",)),
        "seven days": Persona(
            live("seven", weekly(WORKDAYS, OFFICE), first=date(2018, 11, 19)),
            ("work_life.home.city_home",),
            ("commut", "limited"),
        ),
        "two weeks": Persona(
            live("two", weekly(WORKDAYS, OFFICE), first=date(2018, 11, 12)),
            ("mobility.commute.normal_commuter", "work_life.work.fulltime_worker"),
        ),
    }  # fmt: skip


def everyone() -> dict[str, Persona]:
    """Return all of them by name."""
    return workers() | idlers()
