"""The same call sent twice at the same moment: one effect, and both get its answer."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from market.http.db import engine_options
from market.kernel import idempotency, tenancy
from tests.conftest import NOW, settings_for


@pytest.fixture(scope="module")
def engine(servers, make_database) -> Iterator[Engine]:
    options = engine_options(settings_for(make_database("once"), servers["REDIS_URL"]))
    engine = create_engine(options.pop("url"), **options)
    yield engine
    engine.dispose()


def test_two_calls_under_one_key_act_once_and_answer_alike(engine: Engine) -> None:
    acted: list[int] = []
    start = Barrier(4)
    call = {"scope": "guest:POST:orders", "key": "key-0001", "payload": {"a": 1}}

    def once(number: int) -> tuple[int, dict[str, int]]:
        start.wait()
        with tenancy.scoped(tenancy.EVERYTHING), Session(engine) as session, session.begin():
            before = idempotency.recall(session, **call)
            if before is not None:
                return before
            acted.append(number)
            time.sleep(0.2)  # the other ones arrive while this one works
            assert idempotency.remember(session, **call, status=201, body={"number": number}, now=NOW)
            return 201, {"number": number}

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(once, range(4)))
    assert len(acted) == 1
    assert answers == [(201, {"number": acted[0]})] * 4
