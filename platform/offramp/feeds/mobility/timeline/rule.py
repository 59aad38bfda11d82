"""The stay rule, in words, and its two sets of numbers.

**Which fixes count.** A fix is dropped if its latitude or longitude is missing, NaN or impossible (beyond 90 or 180
degrees), if its accuracy is known and negative (iOS marks invalid positions so) or worse than ``accuracy_metres``, if
it was tracked more than ``ahead`` after it was received (a wrong clock) or received more than ``behind`` after it was
tracked (older than any window). A missing or NaN accuracy is good enough. What is dropped is counted by these reasons:
see ``left_out``.

**Order.** Per user (app and user id) by time. Of several fixes of one instant PRODUCT keeps the first by (accuracy,
nulls last; latitude; longitude; speed, nulls last). ORACLE keeps them all in the order given, but for exact repeats of
user, time and coordinates, of which the first stays.

**Inside.** The first fix is an anchor. A fix is inside if its great-circle distance to the anchor is less than
``radius_metres``; at exactly the radius it is outside. Distances are compared as sin2 of the half angle on a sphere of
6,371,000 m. A fix outside is the next anchor, whether or not what it ended was a stay. Nothing is averaged before it
is compared. A *gap* is a step of more than ``gap`` from one fix to the next of the same user.

**Unsure, PRODUCT.** A fix outside whose distance to the anchor is at most ``unsure_accuracies`` times its own accuracy
may be inside: for the group it is as if it were not there. It ends nothing, is in no centre and no gap ends at it; in a
leg it is a point between two others, but not before the first fix that is surely outside a stay. (An accuracy is the
radius of 68 % of positions; of a circular normal distribution twice that radius holds 99 %. In the phones' demo
heartbeats of 50 to 200 m cut one in twenty stays of more than six hours otherwise.)

**Stay, PRODUCT.** An anchor and the fixes inside after it are a stay once the last of them is ``least_stay`` or more
after the anchor. A fix inside goes on with it after a gap: phones that lie still send nothing. It starts with its
anchor and ends with its last fix inside; it is closed by the first fix outside, and open until then. Its centre is the
mean latitude and the circular mean longitude over all its fixes, summed in the order of time.

**Waking, PRODUCT.** Many phones send nothing while they lie, and wake by a geofence 100 to 250 m after they left. If
the fix outside comes more than ``wake_gap`` after the last fix inside, and less than ``wake_metres`` from it, the user
left when one had to, to be there on foot: the stay ends at the time of that fix less the distance at
``walking_metres_per_second`` in whole seconds, though not before its last fix inside. Time until then counts towards
``least_stay``. The leg after it begins with the place of the last fix inside, at that time and without a speed.
(Phones that move look every 10 to 60 seconds: 5 minutes of silence are lying still.)

Some wake up late on the way. If the fix outside is farther than that, but less than ``far_wake_metres`` from the last
fix inside a group that is a stay, after more than ``far_wake_gap``, and the way was slower than
``lying_metres_per_second`` over all the silence, the user lay most of it and then rode: the stay ends at the time of
that fix less the distance at ``riding_metres_per_second``, which is an estimate, between a bike and a car in town. (In
a week of the phones' demo the ends of stays are 8 minutes off on average with it and 10 without, and no hour is told
to be at a place that was spent elsewhere.)

**Silence, PRODUCT.** A phone that is silent for more than ``longest_silence`` after the last fix inside was off, lost,
or somewhere else: the next fix that is surely inside or surely outside ends the group at its last fix inside, as a fix
outside does, and is the next anchor wherever it is. Such a silence is no waking, no jump and no crossing, and cuts.
What is open at the end of a day is never closed by the clock, but by a fix: a state is that of the fixes alone.

**Leg, PRODUCT.** Legs touch stays: a leg begins where and when the stay before it ends, with its last fix inside, and
ends with the anchor of the stay after. What lies between, if anything, are the fixes of no stay. A gap that ends
the group, and is no waking, cuts; it goes from the last fix inside to the one outside:

- a *jump*, ``jump_metres`` or more across, is a leg of its own with its two ends as points (a flight with the phone
  switched off); the next leg begins after it;
- a *crossing*, of ``crossing_gap`` or less at ``crossing_metres_per_second`` or more on average, belongs to the leg (a
  tunnel, an underground line, a phone that sends every twenty minutes while its user walks);
- any other gap is time of which nothing is known: the leg ends at the fix before and the next begins at the fix after.

A leg has two points or more. One that would end at a gap before any fix was outside its first anchor is left out: the
phone woke up, but nobody moved. A leg that lasts ``longest_leg`` or more is cut at the next anchor, which both its
parts hold: so what is carried for a user who never stays is bounded.

What lies between two stays is then cut where the way of moving changes, into the legs that are told: a walk, a ride, a
walk. That is no matter of this rule: ``fold`` gives legs whole, ``legs.cutting`` cuts them once they are closed.

**When a leg closes, PRODUCT.** With the fix that makes the group at its end a stay (its anchor ends the leg; that may
be the fix that ends the stay by waking), the fix after a gap that cuts, or the anchor at which it is too long. Until
then it is open and not told.

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
    unsure_accuracies: float = 2.0
    wake_gap: timedelta = timedelta(minutes=5)
    wake_metres: float = 250.0
    walking_metres_per_second: float = 1.4
    far_wake_gap: timedelta = timedelta(hours=1)
    far_wake_metres: float = 5_000.0
    lying_metres_per_second: float = 0.5
    riding_metres_per_second: float = 5.0
    longest_silence: timedelta = timedelta(hours=48)
    accuracy_metres: float | None = 200.0
    ahead: timedelta | None = timedelta(hours=1)
    behind: timedelta | None = timedelta(days=63)
    jump_metres: float = 100_000.0
    crossing_gap: timedelta = timedelta(hours=3)
    crossing_metres_per_second: float = 0.8
    longest_leg: timedelta = timedelta(hours=24)


PRODUCT = Rule("product")
ORACLE = Rule("oracle", accuracy_metres=None, ahead=None, behind=None)
