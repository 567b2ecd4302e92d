"""Record what crepes answers, the oracle of the tests of calibration and of the drift alarm.

    pip install crepes==0.9.1
    python -m tests.models.calibration.record_crepes

writes `tests/models/calibration/crepes_answers.json`. crepes is no dev dependency: it brings
pandas, which Ray would then import in each of its processes.
"""

import json
from importlib.metadata import version

import numpy as np
from crepes import ConformalPredictiveSystem
from crepes.martingales import SimpleJumper

from models.game.pattern import FloatArray
from tests.models.calibration.crepes_inputs import (
    ANSWERS,
    EVERY_41ST,
    LEVELS,
    PERCENTS,
    UNSCALED_GAMES,
    Normalised,
    Unscaled,
    checksum,
    normalised,
    unscaled_of,
)

Answer = dict[str, float | list[float]]


def capital(levels: FloatArray) -> Answer:
    """The capital of the betting martingale, after every 41st game."""
    series = np.asarray(SimpleJumper().apply(levels))
    return {"checksum": checksum(levels), "capital": series[EVERY_41ST].tolist()}


def percentiles_and_p_values(inputs: Unscaled) -> Answer:
    """The percentiles around a point of 0, and the p-values of the margins."""
    system = ConformalPredictiveSystem().fit(residuals=inputs.errors)
    (percentiles,) = system.predict_percentiles(
        y_hat=np.zeros(1), higher_percentiles=PERCENTS.tolist()
    )
    p_values = system.predict_p(
        y_hat=np.zeros(len(inputs.margins)), y=inputs.margins, smoothing=False, seed=1
    )
    return {
        "checksum": checksum(inputs.errors, inputs.margins, PERCENTS),
        "percentiles": percentiles.tolist(),
        "p_values": p_values.ravel().tolist(),
    }


def interval(inputs: Normalised) -> Answer:
    """The interval around the point, by residuals that are scaled by the spread."""
    system = ConformalPredictiveSystem().fit(
        residuals=inputs.residuals, sigmas=np.full(len(inputs.residuals), inputs.spread)
    )
    (found,) = system.predict_int(
        y_hat=np.array([inputs.point]),
        sigmas=np.array([inputs.spread]),
        confidence=1 - inputs.alpha,
    )
    return {
        "checksum": checksum(inputs.residuals, inputs.spread, inputs.point, inputs.alpha),
        "interval": found.tolist(),
    }


def main() -> None:
    """Ask all questions and write the answers, a line each."""
    answers = {f"{name} levels": capital(levels) for name, levels in LEVELS.items()}
    for games in UNSCALED_GAMES:
        answers[f"{games} games"] = percentiles_and_p_values(unscaled_of(games))
    answers["normalised"] = interval(normalised())
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(a)}" for name, a in answers.items())
    ANSWERS.write_text(f'{{"crepes": "{version("crepes")}", "answers": {{\n{lines}\n}}}}\n')


if __name__ == "__main__":
    main()
