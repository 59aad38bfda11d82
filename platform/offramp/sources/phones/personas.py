"""Who the people are: jobs, ways to move, characters at the wheel, and the people who are part of every life."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Job(IntEnum):
    """What fills a person's days."""

    OFFICE = 0
    NIGHT = 1
    HOMEWORKER = 2
    STUDENT = 3
    RETIRED = 4
    DRIVER = 5


class Mode(IntEnum):
    """How a leg is made. The names in lower case are those of the layers."""

    WALKING = 0
    RUNNING = 1
    BIKING = 2
    CAR = 3
    BUS = 4
    TRAM = 5
    TRAIN = 6
    FLIGHT = 7


RIDES = (Mode.BUS, Mode.TRAM, Mode.TRAIN)


class Character(IntEnum):
    """How a person drives."""

    CALM = 0
    AGGRESSIVE = 1
    DISTRACTED = 2


@dataclass(frozen=True, slots=True)
class Persona:
    """A person who is part of every life, whatever its seed and scale. ``work_town`` None is the home's."""

    label: str
    job: Job
    mode: Mode
    town: str
    work_town: str | None = None
    has_dog: bool = False
    has_children: bool = False
    character: Character = Character.CALM
    is_speeding: bool = False
    is_flyer: bool = False
    is_silent: bool = False


PLANTED = (
    Persona("car_commuter", Job.OFFICE, Mode.CAR, "Aalst", "Gent"),
    Persona("train_commuter", Job.OFFICE, Mode.TRAIN, "Drammen", "Oslo"),
    Persona("bike_commuter", Job.OFFICE, Mode.BIKING, "Gent"),
    Persona("dog_owner", Job.OFFICE, Mode.TRAM, "Oslo", has_dog=True),
    Persona("night_worker", Job.NIGHT, Mode.CAR, "London"),
    Persona("student", Job.STUDENT, Mode.BUS, "Lisboa"),
    Persona("parent", Job.OFFICE, Mode.CAR, "Gent", has_children=True),
    Persona("frequent_flyer", Job.OFFICE, Mode.TRAIN, "Reading", "London", is_flyer=True),
    Persona("speeder", Job.OFFICE, Mode.CAR, "Kongsberg", "Drammen", character=Character.AGGRESSIVE, is_speeding=True),
    Persona("home_worker", Job.HOMEWORKER, Mode.CAR, "Rollag"),
    Persona("bus_commuter", Job.OFFICE, Mode.BUS, "New York"),
    Persona("tram_commuter", Job.OFFICE, Mode.TRAM, "Lisboa"),
    Persona("walking_commuter", Job.OFFICE, Mode.WALKING, "Singapore"),
    Persona("retired", Job.RETIRED, Mode.CAR, "Cascais", has_dog=True),
    Persona("professional_driver", Job.DRIVER, Mode.CAR, "Brussel"),
    Persona("distracted_driver", Job.OFFICE, Mode.CAR, "Reading", "London", character=Character.DISTRACTED),
    Persona("silent", Job.OFFICE, Mode.WALKING, "Oslo", is_silent=True),
)

# Job: share of the people who are not planted.
JOB_SHARES = {
    Job.OFFICE: 0.52,
    Job.NIGHT: 0.06,
    Job.HOMEWORKER: 0.12,
    Job.STUDENT: 0.11,
    Job.RETIRED: 0.13,
    Job.DRIVER: 0.06,
}
# By size of the town, village first: walking, running, biking, car, bus, tram, train.
MODE_SHARES = (
    (0.10, 0.0, 0.05, 0.85, 0.0, 0.0, 0.0),
    (0.10, 0.0, 0.12, 0.50, 0.13, 0.0, 0.15),
    (0.13, 0.0, 0.15, 0.30, 0.15, 0.14, 0.13),
)
