"""Stop signals: the first one ends a program in the way that lets it stop what it started."""

import signal
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOPPED = 130


def exit_on_signals() -> None:
    """From now on the first stop signal raises SystemExit(130) in the main thread.

    So every `with` and `finally` is left in order, also where SIGINT was ignored, as it is in a
    background job. Further signals do not disturb that.
    """
    for number in STOP_SIGNALS:
        signal.signal(number, _exit)


def _exit(_: int, __: FrameType | None) -> None:
    for each in STOP_SIGNALS:
        # Not SIG_IGN: what is started on the way out would inherit it.
        signal.signal(each, lambda *_: None)
    raise SystemExit(STOPPED)
