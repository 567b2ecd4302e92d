"""What goes wrong between a scoreboard and a service, from a fixed seed.

A pure function from the updates of one game to the updates as they are sent, with a log of what
was done to them. The source's faults come first (a wrong score, corrected later), are numbered
with the rest, and then the network's (dropped, repeated, late, reordered) are laid over them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from zlib import crc32

import numpy as np

from serve_app.replay.poll_stream import POLL_MS, Update

WRONG_BY = (-2, -1, 1, 2, 3)  # points; a basket given to the wrong side, a three that was a two
CORRECTION_LAG_MS = 500  # behind the poll it is seen at, so that it is newer than all of that poll


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseRates:
    """How often each fault befalls an update (shares of all updates), and how long it lasts.

    Attributes:
        late: held back by 1 to `late_polls` polls, so that newer updates arrive before it.
        repeated: sent a second time, at once or up to `late_polls` polls later.
        reordered: swapped with the update after it.
        dropped: never sent.
        corrected: sent with a wrong score; the true score follows at the same clock, with a later
            timestamp, 1 to `correction_polls` polls later.
    """

    late: float = 0.02
    late_polls: int = 6
    repeated: float = 0.02
    reordered: float = 0.02
    dropped: float = 0.005
    corrected: float = 0.004
    correction_polls: int = 4


DEFAULT_RATES = NoiseRates()


@dataclass(slots=True)
class NoiseLog:
    """How many updates each fault befell, and which were dropped."""

    late: int = 0
    repeated: int = 0
    reordered: int = 0
    corrected: int = 0
    dropped: list[Update] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """The number of updates per fault."""
        return {
            "late": self.late,
            "repeated": self.repeated,
            "reordered": self.reordered,
            "corrected": self.corrected,
            "dropped": len(self.dropped),
        }


@dataclass(slots=True)
class _Parcel:
    """An update on the network; parcels go out in order of `sent_ms`, then of `place`."""

    update: Update
    sent_ms: int
    place: float
    may_drop: bool = True

    def hold(self, polls: int, behind: int) -> None:
        """Hold the parcel back so that it goes out behind that later poll's own updates."""
        self.sent_ms += polls * POLL_MS
        self.place += behind


def add_noise(
    updates: Sequence[Update], seed: int, rates: NoiseRates = DEFAULT_RATES
) -> tuple[list[Update], NoiseLog]:
    """The updates of one game as they are sent under `rates`, and what was done to them.

    The same updates, seed and rates give the same answer, whichever other games are played. Of
    the updates at one clock the one with the highest sequence is true, unless that was dropped.
    """
    log = NoiseLog()
    if not updates:
        return [], log
    rng = np.random.default_rng([seed, crc32(updates[0].game_id.encode())])
    parcels = _misread(updates, rng, rates, log)
    parcels = _drop(parcels, rng, rates, log)
    _reorder(parcels, rng, rates, log)
    _delay(parcels, rng, rates, log)
    parcels += _repeats(parcels, rng, rates, log)
    last_poll = updates[-1].sent_ms
    for parcel in parcels:
        parcel.sent_ms = min(parcel.sent_ms, last_poll)
    parcels.sort(key=lambda parcel: (parcel.sent_ms, parcel.place))
    return [parcel.update._replace(sent_ms=parcel.sent_ms) for parcel in parcels], log


def _hits(rng: np.random.Generator, count: int, rate: float) -> list[int]:
    """Which of `count` updates a fault befalls."""
    return np.flatnonzero(rng.random(count) < rate).tolist()


def _misread(
    updates: Sequence[Update], rng: np.random.Generator, rates: NoiseRates, log: NoiseLog
) -> list[_Parcel]:
    """Replace some scores by wrong ones, add their corrections, and number all in time order."""
    wrong = set(_hits(rng, len(updates), rates.corrected))
    log.corrected = len(wrong)
    observed: list[tuple[Update, bool]] = []
    for index, update in enumerate(updates):
        if index not in wrong:
            observed.append((update, True))
            continue
        polls = int(rng.integers(1, rates.correction_polls + 1))
        observed.append((_wrong(update, int(rng.choice(WRONG_BY)), bool(rng.integers(2))), False))
        observed.append((_correction(updates, index, polls), False))
    observed.sort(key=lambda item: item[0].timestamp_ms)
    return [
        _Parcel(update._replace(sequence=sequence), update.sent_ms, sequence, may_drop)
        for sequence, (update, may_drop) in enumerate(observed)
    ]


def _wrong(update: Update, points: int, home: bool) -> Update:
    """`update` with one side's score off by `points`; by as many upwards if that were below 0."""
    if home:
        score = update.score_home + points
        return update._replace(score_home=score if score >= 0 else update.score_home - points)
    score = update.score_away + points
    return update._replace(score_away=score if score >= 0 else update.score_away - points)


def _correction(updates: Sequence[Update], wrong: int, polls: int) -> Update:
    """The true score at the clock of `updates[wrong]`, as known some polls later.

    While the clock stands the score may move on (free throws), so the truth is that of the last
    update at this clock until then. Its timestamp lies half a second behind that poll's.
    """
    faulty = updates[wrong]
    sent_ms = min(faulty.sent_ms + polls * POLL_MS, updates[-1].sent_ms)
    true = faulty
    for update in updates[wrong:]:
        if update.sent_ms > sent_ms:
            break
        if (update.quarter, update.remaining_ms) == (faulty.quarter, faulty.remaining_ms):
            true = update
    return true._replace(sent_ms=sent_ms, timestamp_ms=sent_ms + CORRECTION_LAG_MS)


def _drop(
    parcels: list[_Parcel], rng: np.random.Generator, rates: NoiseRates, log: NoiseLog
) -> list[_Parcel]:
    hits = {i for i in _hits(rng, len(parcels), rates.dropped) if parcels[i].may_drop}
    log.dropped = [parcels[i].update for i in sorted(hits)]
    return [parcel for i, parcel in enumerate(parcels) if i not in hits]


def _reorder(
    parcels: list[_Parcel], rng: np.random.Generator, rates: NoiseRates, log: NoiseLog
) -> None:
    swapped = -1
    for i in _hits(rng, max(len(parcels) - 1, 0), rates.reordered):
        if i <= swapped:  # the neighbour is taken already
            continue
        one, other = parcels[i], parcels[i + 1]
        one.sent_ms, other.sent_ms = other.sent_ms, one.sent_ms
        one.place, other.place = other.place, one.place
        swapped = i + 1
        log.reordered += 1


def _delay(
    parcels: list[_Parcel], rng: np.random.Generator, rates: NoiseRates, log: NoiseLog
) -> None:
    hits = _hits(rng, len(parcels), rates.late)
    log.late = len(hits)
    for i in hits:
        parcels[i].hold(int(rng.integers(1, rates.late_polls + 1)), behind=len(parcels))


def _repeats(
    parcels: list[_Parcel], rng: np.random.Generator, rates: NoiseRates, log: NoiseLog
) -> list[_Parcel]:
    hits = _hits(rng, len(parcels), rates.repeated)
    log.repeated = len(hits)
    copies = [replace(parcels[i]) for i in hits]
    for copy in copies:
        copy.hold(int(rng.integers(0, rates.late_polls + 1)), behind=len(parcels))
    return copies
