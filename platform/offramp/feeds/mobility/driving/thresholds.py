"""Every number by which drives are judged, with where it comes from.

"Spec" is mobility_computation.md, A5, where the thresholds that vendors publish are collected. "Own" means: chosen
here, since nothing is published. Nothing is worked out from differences of positions: they gave 95 events per hour.
"""

from __future__ import annotations

# Peaks in m/s2. Moderate: Verizon, 5 mph in a second. Hard: Damoov, braking 2.7 and, on its older page, acceleration
# 3.0; PosiTrace, 0.30 g in turns. Severe: Verizon, 9 mph in a second.
MODERATE = 2.2
HARD_ACCELERATION = 3.0
HARD_BRAKE = 2.7
HARD_TURN = 2.94
SEVERE = 4.0
# Damoov: shorter ones are knocks against the phone.
LEAST_HARD_MILLISECONDS = 600
# Weaker ones are coasting: the SDK's events of the kind acceleration, by its contract.
COASTING = 1.0

# What an event takes off, in metres of the drive: LionEight's (distance - sum(n x impact)) / distance. The impacts are
# own: a hard event in 4 km leaves 0.75, one in 20 km leaves 0.95.
MODERATE_IMPACT_METRES = 250
HARD_IMPACT_METRES = 1_000
SEVERE_IMPACT_METRES = 2_000
# What a second of coasting gives back of it, up to half of it: own.
COASTING_METRES_PER_SECOND = 10

# A driver who looks ahead has slowed down this long before a turn: own.
BEFORE_TURN_MILLISECONDS = 10_000

# Legal: 5 mph above the limit are let pass (Zendrive by Track24), for they are within the error of speedometers.
TOLERANCE_KMH = 8
# Longer stretches without waypoints are not driven at the speed of the last one: own.
LONGEST_STEP_MILLISECONDS = 60_000
# So much must have been driven where the limit is known: own.
LEAST_LIMIT_MILLISECONDS = 60_000
LEAST_LIMIT_METRES = 500

# Hands-free calling distracts a quarter as much as a phone in the hand: own.
HANDSFREE_PARTS = 1
HANDHELD_PARTS = 4

# Who has the phone in a hand for no more than the first share of the drive, or has it in a mount, drives; who has it in
# a hand for more than the second, and in no mount, rides along; nobody knows who the rest are: own. What they do to the
# demo's people is written down at ``scores.with_roles``.
DRIVER_SHARE_PERCENT = 5
PASSENGER_SHARE_PERCENT = 50

# Events of sensors that began longer before a drive are not looked for: own.
LONGEST_EVENT_HOURS = 24

# A trip below has no scores: own. An aggregate below has none: mobility_offloads.md, section 4, Scores.
LEAST_TRIP_METRES = 1_000
LEAST_AGGREGATE_METRES = 50_000
AGGREGATE_DAYS = 63

# A turn of this angle goes around a roundabout rather than a corner: own.
ROUNDABOUT_DEGREES = 180

# Transports less than this apart share a session: own.
SESSION_MINUTES = 15

# Peaks and means are delivered in units of 0.2 m/s2 (mobility_offloads.md, section 4).
UNITS_PER_METRE = 5
