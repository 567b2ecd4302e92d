import asyncio
from collections.abc import Callable, Iterator

import httpx
import pytest

from serve_app.replay.delivery import Delivery
from serve_app.replay.errors import DeliveryError

Answers = Iterator[httpx.Response | Exception]


class FakeClock:
    def __init__(self) -> None:
        self.time = 0.0
        self.pauses: list[float] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.time += seconds


def deliver(
    answers: Answers, clock: FakeClock, deadline: float = 60.0
) -> tuple[httpx.Response, Delivery]:
    def answer(_: httpx.Request) -> httpx.Response:
        clock.time += 0.01
        one = next(answers)
        if isinstance(one, Exception):
            raise one
        return one

    async def posting() -> tuple[httpx.Response, Delivery]:
        transport = httpx.MockTransport(answer)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            delivery = Delivery(client, deadline_seconds=deadline, clock=clock)
            return await delivery.post("/scores", b"[]"), delivery

    return asyncio.run(posting())


def status(code: int, **headers: str) -> httpx.Response:
    return httpx.Response(code, headers={k.replace("_", "-"): v for k, v in headers.items()})


def test_a_first_answer_is_timed_and_not_repeated() -> None:
    answer, delivery = deliver(iter([status(200)]), FakeClock())
    assert answer.status_code == 200
    assert list(delivery.log.latencies) == pytest.approx([0.01])
    assert not delivery.log.repeats


def test_a_refusal_is_an_answer() -> None:
    answer, delivery = deliver(iter([status(422)]), FakeClock())
    assert answer.status_code == 422
    assert not delivery.log.repeats


@pytest.mark.parametrize(
    "failure",
    [
        lambda: status(503),
        lambda: status(429),
        lambda: httpx.ConnectError("refused"),
        lambda: httpx.ReadTimeout("slow"),
        lambda: httpx.RemoteProtocolError("cut"),
    ],
)
def test_it_is_repeated_while_the_service_is_away(
    failure: Callable[[], httpx.Response | Exception],
) -> None:
    clock = FakeClock()
    answer, delivery = deliver(iter([failure(), failure(), failure(), status(200)]), clock)
    assert answer.status_code == 200
    assert clock.pauses == [0.05, 0.1, 0.2]
    assert delivery.log.repeats.total() == 3
    assert len(delivery.log.latencies) == 1


def test_it_waits_as_long_as_the_service_asks_for() -> None:
    clock = FakeClock()
    deliver(
        iter([status(429, retry_after="7"), status(503, retry_after="soon"), status(200)]), clock
    )
    assert clock.pauses == [7.0, 0.1]


def test_where_the_next_try_may_come_at_once_the_one_after_it_may_not() -> None:
    clock = FakeClock()
    deliver(iter([*[status(503, retry_after="0")] * 3, status(200)]), clock)
    assert clock.pauses == [0.05, 0.1, 0.2]


def test_pauses_stop_growing() -> None:
    clock = FakeClock()
    deliver(iter([status(503)] * 10 + [status(200)]), clock)
    assert clock.pauses[-1] == clock.pauses[-2] == 2.0


def test_after_the_deadline_it_gives_up_and_says_why() -> None:
    clock = FakeClock()
    with pytest.raises(DeliveryError, match=r"POST /scores: status 503.*within 5 s"):
        deliver(iter([status(503)] * 100), clock, deadline=5.0)
    assert clock.time <= 5.0
