from dataclasses import replace

from models.game.horizon import cell_of
from models.training.model_card import model_card
from models.training.training import Trained


def test_it_tells_parts_splits_metrics_and_sources(trained: Trained) -> None:
    card, bundle = model_card(trained), trained.bundle
    assert card.startswith(f"# Model card: {bundle.model_version}\n")
    assert "| drift and LSTM; Dejavu searches the newest 1 | 2010-2011 | 240 |" in card
    assert "| ensemble weights | 2012 | 120 |" in card
    assert "| calibration | 2013-2014 | 240 |" in card
    assert f"| ensemble | {trained.scores['ensemble'].mae:.3f} |" in card
    assert f"{bundle.ensemble.dejavu_weight:.4f} · Dejavu" in card
    assert "No later game was left out." in card
    for source in ("ryanvmenezes/lawlers-law", "gabriel1200/playbyplay", "MIT"):
        assert source in card


def test_its_interval_is_that_of_the_calibration(trained: Trained) -> None:
    calibration = trained.bundle.calibration
    cell = cell_of("halftime", 18)
    spread, shape = calibration.spreads[cell], calibration.shapes[cell]
    lower, upper = (spread * shape.quantile(level) for level in (0.025, 0.975))
    assert f"within {lower:+.1f} and {upper:+.1f} points of the forecast at 95 %" in (
        model_card(trained).replace("\n  ", " ")
    )


def test_runs_of_seasons_are_joined(trained: Trained) -> None:
    split = replace(trained.bundle.split, train=(1996, 1997, 2018, 2020, 2021))
    other = replace(trained, bundle=replace(trained.bundle, split=split))
    assert "| 1996-1997, 2018, 2020-2021 |" in model_card(other)
