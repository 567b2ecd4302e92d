from pathlib import Path

import pytest

from tests.serve_app.dashboard.page_modules import Modules


@pytest.fixture
def modules(tmp_path: Path) -> Modules:
    return Modules(tmp_path)
