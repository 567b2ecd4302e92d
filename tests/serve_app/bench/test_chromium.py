"""Where there is no browser it is said what to install."""

import subprocess
import sys

import pytest

from serve_app.bench.chromium import NoBrowserError, browser_path
from serve_app.process.service_process import ROOT


def test_a_missing_browser_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NoBrowserError, match="install Debian's package chromium"):
        browser_path()


def test_the_benchmark_says_so_before_it_starts_anything():
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "bench_page.py")],
        env={"PATH": "/nowhere", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "install Debian's package chromium" in done.stderr
