"""Every queue is consumed, every task known, every announced fact taken by somebody."""

import ast
import fnmatch
import importlib
from functools import cache
from pathlib import Path

from tests.architecture.source import trees
from workers import queues
from workers.outbox import AGAIN_AFTER, TOPICS
from workers.schedule import SCHEDULE


@cache
def tasks() -> dict[str, str]:
    """Name of each task -> its file; when a test asks, since each process that collects this one would parse the whole source."""
    return {
        keyword.value.value: path
        for path, tree in trees().items()
        if path.startswith("workers/")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "shared_task"
        for keyword in node.keywords
        if keyword.arg == "name"
    }


def test_every_task_module_is_loaded():
    named = {"workers." + Path(path).stem for path in tasks().values()}
    assert named == set(queues.MODULES)


def test_every_scheduled_task_exists():
    assert {entry["task"] for entry in SCHEDULE.values()} <= set(tasks())


def test_every_route_fits_a_task_and_a_queue():
    assert {route["queue"] for route in queues.ROUTES.values()} <= set(queues.NAMES)
    for task in tasks():
        assert sum(fnmatch.fnmatch(task, pattern) for pattern in queues.ROUTES) <= 1


def test_every_task_of_a_topic_exists():
    assert {task for listening in TOPICS.values() for task in listening} <= set(tasks())


def test_no_task_runs_longer_than_the_broker_waits_for_it():
    source = trees()["workers/broker.py"]
    (patience,) = (
        value.value
        for node in ast.walk(source)
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if getattr(key, "value", "") == "visibility_timeout"
    )
    limits = {
        keyword.value.value
        for path in set(tasks().values())
        for node in ast.walk(trees()[path])
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "time_limit"
    }
    assert max(limits) < patience < AGAIN_AFTER.total_seconds()


def _topics_of(path: str, node: ast.expr) -> set[str]:
    """The topic as text, or through the capability's `events` module."""
    if isinstance(node, ast.Constant):
        return {node.value}
    module = importlib.import_module(path.removesuffix(".py").replace("/", ".").split(".service")[0] + ".events")
    return {getattr(module, node.attr)} if isinstance(node, ast.Attribute) else {getattr(module, node.id)}


def test_every_announced_topic_is_taken():
    announced = {
        (topic, path)
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and len(node.args) >= 2
        if "announce" in (getattr(node.func, "attr", ""), getattr(node.func, "id", ""))
        for topic in _topics_of(path, node.args[1])
    }
    lost = [f"{path} announces {topic}, which nobody takes" for topic, path in sorted(announced) if topic not in TOPICS]
    assert not lost, "\n".join(lost)
