"""Every number by which legs are judged, with where it comes from.

"Spec" is mobility_computation.md. "Own" means: chosen here and held by the confusion matrix of the tests.
"""

from __future__ import annotations

KMH = 1 / 3.6  # metres per second

EARTH_METRES = 6_371_000.0  # Spec, A4

# Spikes. Nothing on the ground goes faster in daily service than some 300 km/h (mobility_offloads.md, section 10:
# "jumps faster than 300 km/h on the ground"). 1,200 km/h is the speed of sound, which no airliner reaches.
MOST_GROUND_SPEED = 300 * KMH
MOST_AIR_SPEED = 1200 * KMH
# How many fixes in a row may be off: own. A longer excursion is taken to have happened.
MOST_SPIKES_IN_A_ROW = 5

# Where at least half of a leg's fixes are better, those of poorer accuracy count for no speed: GPS is good to 5 to 20
# metres, WLAN to 50; phone masts are not. Own.
GOOD_ACCURACY_METRES = 50.0

# Speeds are taken over at least so many seconds: 10 m of noise is then less than 1 m/s. Own.
WINDOW_SECONDS = 15.0
# A longer time without fixes is silence, whose average says little of the speed. Spec, A4: gap of 15 minutes there;
# own: 5 minutes, since even a phone that saves power sends every minute or two while it moves.
SILENCE_SECONDS = 300.0
# Below it one stands still, and the time counts as no movement: own; the slowest stroll is 2 km/h.
MOVING_SPEED = 1.8 * KMH

# The ride is what lies between the first and the last window of this speed: walks to and from the vehicle are left
# out. Own; faster than running, slower than any bus between two stops.
RIDE_SPEED = 20 * KMH
# A halt: fixes within so many metres for so many seconds, or a reported speed as good as zero. Own: GPS noise is
# about 10 m; a bus stands 10 to 30 seconds.
HALT_METRES = 25.0
HALT_SECONDS = 8.0
HALT_REPORTED_SPEED = 0.7
# Halts as near as this are one: creeping on in a queue. Own.
SAME_HALT_METRES = 80.0

# How near a halt or an end of the ride must be to a stop, by kind: 150 m for kerbs and 300 m for platforms, which
# are long, and for fixes that begin late; an airport is a point in the middle of kilometres. Own.
HALT_AT_STREET_STOP_METRES = 75.0
HALT_AT_STATION_METRES = 200.0
END_AT_STREET_STOP_METRES = 150.0
END_AT_STATION_METRES = 300.0
END_AT_AIRPORT_METRES = 5_000.0

# A change of direction that counts as a turn, at speed (heading change rate of Zheng 2008, which has 19 degrees).
TURN_DEGREES = 19.0
TURN_SPEED = 10 * KMH

# Flights: the fastest trains run at 320 km/h.
FLIGHT_SPEED = 250 * KMH
FLIGHT_METRES = 100_000.0
FASTEST_TRAIN_SPEED = 350 * KMH
# Two fixes with silence between them.
SILENT_FLIGHT_METRES = 150_000.0
SILENT_FLIGHT_SPEED = 150 * KMH
# Silence from airport to airport: boarding and taxiing are in it too. Own.
AIRPORT_SILENCE_SPEED = 80 * KMH
# With as much of the distance in silence the profile is not one of the leg. Own.
MOST_SILENT_SHARE = 0.8

# Least to judge at all. Own: three windows.
LEAST_WINDOWS = 3

# Walking is 4 to 6 km/h, running 8 to 14, biking 12 to 25 (trackintel puts slow mobility below 15 km/h).
RUNNING_MEDIAN_SPEED = 7.5 * KMH
BIKING_MEDIAN_SPEED = 13.5 * KMH
# Above either one it has an engine: half the way at 25 km/h, which is what pedelecs may do, or 1/20 of the time at 36.
VEHICLE_MEDIAN_SPEED = 25 * KMH
VEHICLE_TOP_SPEED = 36 * KMH
# From stop to stop less is enough: a tram in town is no faster between two fixes a minute apart. Own.
LINE_TOP_SPEED = 25 * KMH
# Where the SDK says automotive, less is enough; where it says cycling, more is needed.
JAMMED_TOP_SPEED = 14 * KMH
DOWNHILL_TOP_SPEED = 50 * KMH
# The fastest that legs alone go for long: where the SDK says walking or running.
WALKING_TOP_SPEED = 9 * KMH
RUNNING_TOP_SPEED = 22 * KMH
# The share of the SDK's confidence that decides: a majority.
SDK_SHARE = 0.5
# Confidence counts in thousandths, so that sums are exact. An activity without one counts half.
CONFIDENCE_PARTS = 1000
NO_CONFIDENCE = 0.5

# Public transport: each end of the ride at a stop gives 1, the share of halts at stops of the kind gives up to 3, but
# no more than the number of these halts; 2.5 are needed. So: both ends and a sixth of the halts, one end and half of
# them, or five in six halts of three and more. Own.
HALT_WEIGHT = 3.0
ENOUGH_EVIDENCE = 2.5
# A tram is not faster than 80 km/h, a bus than 100 (its legal limit in most of Europe); 1/20 of the time may be noise.
TRAM_TOP_SPEED = 80 * KMH
BUS_TOP_SPEED = 110 * KMH
# A train of which little is seen at stations: two ends or halts at them; fast, hardly a halt elsewhere or a turn.
TRAIN_STATIONS = 2
TRAIN_TOP_SPEED = 70 * KMH
TRAIN_HALTS_PER_KM = 0.25
TRAIN_TURNS_PER_KM = 0.7

# Cutting a leg where the way of moving changes. Zheng 2008 calls a point a walk point below 1.8 m/s; hurried walkers
# reach 2, joggers begin at 2.2. How much faster, or slower, a step must be to count in full: own.
WALK_SPEED = 2.0
WALK_DOUBT_SPEED = 1.0
RIDE_DOUBT_SPEED = 0.5
# Slower than this is waiting, which is a quarter as unlike a ride as walking is. Own: noise of 10 m over half a minute
# is 0.3 m/s, and nobody strolls below 2 km/h.
STILL_SPEED = 1.8 * KMH
WAIT_SHARE = 0.25
# What a single step counts at most, and what a change costs: one step alone never makes one. Own.
STEP_SECONDS = 40.0
CHANGE_SECONDS = 45.0
# The least part: Zheng 2008 merges what is shorter; here also what holds fewer steps or less way. A walk between two
# rides (a change of line) is longer than a vehicle creeps on between two lights. Own.
LEAST_PART_SECONDS = 60.0
LEAST_CHANGE_SECONDS = 90.0
LEAST_STEPS = 2
LEAST_WALK_METRES = 50.0
LEAST_RIDE_METRES = 150.0
# No leg has more parts: a day of errands by bus has some 30 changes.
MOST_PARTS = 64
