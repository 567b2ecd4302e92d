import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.calibration.distribution import (
    GRID_LEVELS,
    HIGHEST,
    LOWEST,
    QUANTILE_LEVELS,
    MarginDistribution,
    Shape,
)
from models.errors import AlphaError, DataError
from models.game.horizon import Horizon

LEVELS = st.floats(1e-6, 1 - 1e-6)
LINES = st.one_of(st.integers(-60, 60).map(float), st.floats(-60, 60))


def bumpy(seed: int) -> Shape:
    """A skewed shape without a flat place."""
    random = np.random.default_rng(seed)
    steps = random.exponential(0.03, 199) + 1e-3
    return Shape(
        np.cumsum(steps) - np.sum(steps) * random.uniform(0.3, 0.7),
        float(random.uniform(0.05, 0.6)),
        float(random.uniform(0.05, 0.6)),
    )


SHAPES = st.integers(0, 50).map(bumpy)
DISTRIBUTIONS = st.builds(
    MarginDistribution,
    horizon=st.sampled_from(["halftime", "final"]),
    point=st.floats(-40, 40),
    spread=st.floats(0.1, 20),
    shape=SHAPES,
)


def final(point: float, spread: float = 10.0, *, horizon: Horizon = "final") -> MarginDistribution:
    return MarginDistribution(horizon=horizon, point=point, spread=spread, shape=bumpy(0))


@given(distribution=DISTRIBUTIONS, levels=st.lists(LEVELS, min_size=2, unique=True))
def test_quantiles_rise_with_the_level(
    distribution: MarginDistribution, levels: list[float]
) -> None:
    quantiles = [distribution.quantile(level) for level in sorted(levels)]
    assert all(low <= high for low, high in pairwise(quantiles))


@given(distribution=DISTRIBUTIONS, level=LEVELS)
def test_the_share_below_a_quantile_is_its_level(
    distribution: MarginDistribution, level: float
) -> None:
    assert distribution.below(distribution.quantile(level)) == pytest.approx(level, abs=1e-9)


@given(distribution=DISTRIBUTIONS, margin=st.floats(-80, 80))
def test_the_quantile_at_the_share_below_a_margin_is_the_margin(
    distribution: MarginDistribution, margin: float
) -> None:
    level = distribution.below(margin)
    if 1e-9 < level < 1 - 1e-9:
        assert distribution.quantile(level) == pytest.approx(margin, abs=1e-4)


@given(distribution=DISTRIBUTIONS, lines=st.lists(LINES, min_size=2))
def test_the_higher_the_line_the_less_likely_to_be_above(
    distribution: MarginDistribution, lines: list[float]
) -> None:
    above = [distribution.probability_above(line) for line in sorted(lines)]
    assert all(high >= low for high, low in pairwise(above))
    assert all(0 <= probability <= 1 for probability in above)


@given(distribution=DISTRIBUTIONS, alpha=st.floats(0.001, 0.999))
def test_an_interval_leaves_half_of_alpha_on_either_side(
    distribution: MarginDistribution, alpha: float
) -> None:
    lower, upper = distribution.interval(alpha)
    assert lower <= distribution.quantile(0.5) <= upper
    assert distribution.below(lower) == pytest.approx(alpha / 2, abs=1e-9)
    assert 1 - distribution.below(upper) == pytest.approx(alpha / 2, abs=1e-9)


@given(distribution=DISTRIBUTIONS)
def test_the_quantiles_agree_with_the_intervals(distribution: MarginDistribution) -> None:
    quantiles = dict(zip(QUANTILE_LEVELS, distribution.quantiles(), strict=True))
    assert (quantiles[0.05], quantiles[0.95]) == pytest.approx(distribution.interval(0.1))
    assert (quantiles[0.25], quantiles[0.75]) == pytest.approx(distribution.interval(0.5))


@given(distribution=DISTRIBUTIONS)
def test_the_win_probability_is_that_of_a_margin_above_0(
    distribution: MarginDistribution,
) -> None:
    if distribution.horizon == "halftime":
        assert distribution.win_probability is None
    else:
        assert distribution.win_probability == distribution.probability_above(0)
        # Win or lose: what is not above is below, and the median tells the favourite.
        assert distribution.win_probability == 1 - distribution.below(0.0)
        assert (distribution.win_probability > 0.5) == (distribution.quantile(0.5) > 0)


@given(point=st.floats(-20, 20))
def test_a_final_margin_is_never_0(point: float) -> None:
    distribution = final(point)
    whole = {
        margin: distribution.probability_above(margin - 1) - distribution.probability_above(margin)
        for margin in range(-200, 201)
    }
    assert whole[0] == 0
    assert sum(whole.values()) == pytest.approx(1, abs=1e-3)
    assert all(probability > 0 for margin, probability in whole.items() if abs(margin) in (1, 2))
    assert distribution.probability_above(-1) == distribution.probability_above(0.5)


def test_a_halftime_margin_may_be_0() -> None:
    distribution = final(0.0, horizon="halftime")
    level = distribution.probability_above(-1) - distribution.probability_above(0)
    assert level == distribution.below(0.5) - distribution.below(-0.5) > 0


@given(distribution=DISTRIBUTIONS, line=st.integers(-40, 40))
def test_between_whole_numbers_nothing_changes(distribution: MarginDistribution, line: int) -> None:
    at_line = distribution.probability_above(line)
    assert distribution.probability_above(line + 0.25) == at_line
    assert distribution.probability_above(line + 0.99) == at_line


@pytest.mark.parametrize("margin", [-3.0, 7.0])
def test_without_spread_the_margin_is_certain(margin: float) -> None:
    certain = final(margin, 0.0)
    assert certain.interval(0.05) == (margin, margin)
    assert certain.quantiles() == (margin,) * len(QUANTILE_LEVELS)
    assert certain.win_probability == float(margin > 0)
    assert certain.probability_above(margin) == 0.0
    assert certain.probability_above(margin - 1) == 1.0
    assert certain.interval(1e-300) == (margin, margin)


def test_the_tails_are_exponential() -> None:
    shape = Shape(np.linspace(-2, 2, 199), 0.5, 0.25)
    assert shape.quantile(LOWEST / math.e) == pytest.approx(-2.5)
    assert shape.quantile(1 - (1 - HIGHEST) / math.e) == pytest.approx(2.25)
    assert shape.level(-2.5) == pytest.approx(LOWEST / math.e)
    assert 1 - shape.level(2.25) == pytest.approx((1 - HIGHEST) / math.e)
    assert shape.quantile(LOWEST) == -2
    assert shape.quantile(HIGHEST) == 2


def test_a_tail_of_nothing_ends_the_distribution() -> None:
    shape = Shape(np.linspace(-2, 2, 199), 0.0, 0.0)
    assert (shape.quantile(1e-9), shape.quantile(1 - 1e-9)) == (-2, 2)
    assert (shape.level(-2.1), shape.level(2.1)) == (0, 1)


@given(one=SHAPES, other=SHAPES, share=st.floats(0, 1), level=LEVELS)
def test_a_mixed_shape_is_between_both(
    one: Shape, other: Shape, share: float, level: float
) -> None:
    mixed = one.mixed(other, share).quantile(level)
    ends = one.quantile(level), other.quantile(level)
    assert min(ends) - 1e-9 <= mixed <= max(ends) + 1e-9
    assert mixed == pytest.approx((1 - share) * ends[0] + share * ends[1], abs=1e-9)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, 1.1, float("nan")])
def test_an_impossible_alpha_is_refused(alpha: float) -> None:
    with pytest.raises(AlphaError, match="alpha: expected a number between 0 and 1"):
        final(0.0).interval(alpha)
    with pytest.raises(AlphaError, match="level: expected a number between 0 and 1"):
        final(0.0).quantile(alpha)


@pytest.mark.parametrize("alpha", [1e-12, 1e-17, 5e-324, math.nextafter(1, 0)])
def test_every_possible_alpha_has_a_finite_interval(alpha: float) -> None:
    lower, upper = final(0.0).interval(alpha)
    assert math.isfinite(lower)
    assert math.isfinite(upper)
    assert lower <= upper


def test_what_is_no_shape_is_refused() -> None:
    rising = np.linspace(-2, 2, len(GRID_LEVELS))
    with pytest.raises(DataError, match="199 ascending quantiles"):
        Shape(rising[:-1], 0.1, 0.1)
    with pytest.raises(DataError, match="199 ascending quantiles"):
        Shape(rising[::-1], 0.1, 0.1)
    with pytest.raises(DataError, match="199 ascending quantiles"):
        Shape(np.where(rising > 1, np.nan, rising), 0.1, 0.1)
    with pytest.raises(DataError, match="tails of at least 0"):
        Shape(rising, -0.1, 0.1)
    with pytest.raises(DataError, match="tails of at least 0"):
        Shape(rising, 0.1, float("nan"))
