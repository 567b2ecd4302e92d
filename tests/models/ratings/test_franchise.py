import pytest

from models.ratings.franchise import franchise


@pytest.mark.parametrize(
    ("code", "present"),
    [("SEA", "OKC"), ("NJN", "BKN"), ("VAN", "MEM"), ("CHH", "NOP"), ("NOH", "NOP"), ("NOK", "NOP"),
     ("WSB", "WAS"), ("CHA", "CHA"), ("BOS", "BOS"), ("GS", "GSW"), ("XXX", "XXX")],
)  # fmt: skip
def test_franchises(code: str, present: str) -> None:
    assert franchise(code) == present
