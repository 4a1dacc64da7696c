"""Networks at work use one thread; nobody else's number of threads is touched."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from studio.audio import Audio
from studio.context import RenderContext
from studio.nets.inference import inference
from studio.steps import Transform, parse_step
from tests.listening import sine


@pytest.fixture
def three() -> Iterator[None]:
    """torch as somebody uses it who wants three threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def test_it_is_one_thread_inside_and_the_users_number_outside(three: None) -> None:
    with inference():
        assert torch.get_num_threads() == 1
        with inference():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 1, "leaving the inner one says nothing of the outer one"
    assert torch.get_num_threads() == 3
    with pytest.raises(ZeroDivisionError), inference():
        raise ZeroDivisionError
    assert torch.get_num_threads() == 3


def test_threads_that_come_and_go_leave_each_other_alone(three: None) -> None:
    inside, leave = threading.Barrier(2), threading.Event()
    seen: list[int] = []

    def other() -> None:
        with inference():
            inside.wait()
            leave.wait()
            seen.append(torch.get_num_threads())
        seen.append(torch.get_num_threads())

    thread = threading.Thread(target=other)
    with inference():
        thread.start()
        inside.wait()
    leave.set()
    thread.join()
    fresh = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    fresh.start()
    fresh.join()
    assert seen == [1, 3, 3] and torch.get_num_threads() == 3


def test_a_sung_sound_has_the_same_bits_whatever_the_number_of_threads(three: None) -> None:
    melody = Audio(sine(440.0, 0.5), 44_100)
    step = parse_step({"sing": "flute"}, "transform")
    assert isinstance(step, Transform)
    many = step.apply(melody, RenderContext()).samples
    assert torch.get_num_threads() == 3
    torch.set_num_threads(1)
    assert np.array_equal(many, step.apply(melody, RenderContext()).samples) and many.any()
