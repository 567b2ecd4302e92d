"""Words: how numbers of a report are written. Margins are home − away, in points."""

from serve_app.schemas import Prediction

MINUS = "−"
NOTHING = "–"


def signed(value: float, decimals: int = 1) -> str:
    """A margin or an error with its sign, such as +3.5 or −2.0; zero has none."""
    text = f"{value:+.{decimals}f}"
    return (text[1:] if not float(text) else text).replace("-", MINUS)


def points(value: float) -> str:
    """The size of an error, such as 3.5 points."""
    return f"{abs(value):.1f} points"


def percent(share: float) -> str:
    """A share of 1, such as 95 %."""
    return f"{100 * share:.3g} %"


def interval(made: Prediction) -> str:
    """The interval of a prediction, such as −3.5 to +8.0."""
    return f"{signed(made.interval_lower)} to {signed(made.interval_upper)}"


def seconds(value: float) -> str:
    """A time span, in the unit that it is read best in."""
    for limit, size, unit in ((120, 1, "s"), (7_200, 60, "min"), (172_800, 3_600, "h")):
        if abs(value) < limit:
            text = f"{value / size:.{int(size == 1)}f} {unit}"
            break
    else:
        text = f"{value / 86_400:,.0f} days"
    return text.replace("-", MINUS)
