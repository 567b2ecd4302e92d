"""Stop signals: the first one ends a program in the way that lets it stop what it started."""

import signal
from collections.abc import Callable
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOPPED = 130


def until_stopped(main: Callable[[], int]) -> int:
    """What `main` returns, or 130 where a stop signal ended it.

    The first one raises KeyboardInterrupt in it, so that every `with` and `finally` is left in
    order, also where SIGINT was ignored, as it is in a background job. Further signals do not
    disturb that. Where SIGHUP is ignored, as by nohup, it stays so.
    """
    for number in STOP_SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)
    try:
        return main()
    except KeyboardInterrupt:
        return STOPPED


def _interrupt(_: int, __: FrameType | None) -> None:
    for number in STOP_SIGNALS:
        # Not SIG_IGN: what is started on the way out would inherit it.
        signal.signal(number, lambda *_: None)
    raise KeyboardInterrupt
