"""The stay rule, in words, and its two sets of numbers.

**Which fixes count.** A fix is dropped if its latitude or longitude is missing, NaN or impossible (beyond 90 or 180
degrees), if its accuracy is known and negative (iOS marks invalid positions so) or worse than ``accuracy_metres``, if
it was tracked more than ``ahead`` after it was received (a wrong clock) or received more than ``behind`` after it was
tracked (older than any window). A missing or NaN accuracy is good enough.

**Order.** Per user (app and user id) by time. Of several fixes of one instant PRODUCT keeps the first by (accuracy,
nulls last; latitude; longitude; speed, nulls last). ORACLE keeps them all in the order given, but for exact repeats of
user, time and coordinates, of which the first stays.

**Inside.** The first fix is an anchor. A fix is inside if its great-circle distance to the anchor is less than
``radius_metres``; at exactly the radius it is outside. Distances are compared as sin2 of the half angle on a sphere of
6,371,000 m. A fix outside is the next anchor, whether or not what it ended was a stay. Nothing is averaged before it
is compared. A *gap* is a step of more than ``gap`` from one fix to the next of the same user.

**Stay, PRODUCT.** An anchor and the fixes inside after it are a stay once the last of them is ``least_stay`` or more
after the anchor. A fix inside goes on with it after any gap: phones that lie still send nothing. It starts with its
anchor and ends with its last fix inside; it is closed by the first fix outside, and open until then. Its centre is the
mean latitude and the circular mean longitude over all its fixes, summed in the order of time.

**Leg, PRODUCT.** Legs touch stays: a leg begins with the last fix of the stay before and ends with the anchor of the
stay after. What lies between, if anything, are the fixes of no stay. A gap whose end is outside the anchor cuts:

- a *jump*, ``jump_metres`` or more across, is a leg of its own with its two ends as points (a flight with the phone
  switched off); the next leg begins after it;
- a *crossing*, ``crossing_metres`` or more across at ``crossing_metres_per_second`` or more on average, belongs to the
  leg (a tunnel, an underground line, a phone that sends every twenty minutes);
- any other gap is time of which nothing is known: the leg ends at the fix before and the next begins at the fix after.

A leg has two points or more. One that would end at a gap before any fix was outside its first anchor is left out: the
phone woke up, but nobody moved. A leg that lasts ``longest_leg`` or more is cut at the next anchor, which both its
parts hold: so what is carried for a user who never stays is bounded.

**When a leg closes, PRODUCT.** With the fix that makes the group at its end a stay (its anchor ends the leg), the fix
after a gap that cuts, or the anchor at which it is too long. Until then it is open and not told.

**ORACLE** is trackintel 1.4, ``generate_staypoints(method="sliding", dist_threshold=100, time_threshold=5,
gap_threshold=15, include_last=True)`` and ``generate_triplegs(method="between_staypoints", gap_threshold=15)``: a gap
ends a group without making it a stay, and its last fix is before the gap; a stay ends at the time of the first fix
outside, if that is ``least_stay`` or more after the anchor; at the end of a user's fixes the group is a stay if its
last fix is ``least_stay`` after its anchor. The centre is the mean over unique coordinates. A leg is an island of two
or more fixes of no stay, cut at gaps, in which not all coordinates are equal.

Source: mobility_computation.md, Take-aways, A1 and A4.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

EARTH_RADIUS_METRES = 6_371_000.0


@dataclass(frozen=True, slots=True)
class Rule:
    """The numbers of the rule. ``style`` chooses between the two readings of the module's text."""

    style: Literal["product", "oracle"]
    radius_metres: float = 100.0
    least_stay: timedelta = timedelta(minutes=5)
    gap: timedelta = timedelta(minutes=15)
    accuracy_metres: float | None = 200.0
    ahead: timedelta | None = timedelta(hours=1)
    behind: timedelta | None = timedelta(days=63)
    jump_metres: float = 100_000.0
    crossing_metres: float = 1_000.0
    crossing_metres_per_second: float = 1.4
    longest_leg: timedelta = timedelta(hours=24)


PRODUCT = Rule("product")
ORACLE = Rule("oracle", accuracy_metres=None, ahead=None, behind=None)
