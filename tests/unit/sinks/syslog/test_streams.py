"""What was carried over a connection is kept when nobody can lose it any more, and nothing is left out."""

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.sinks.syslog.following import ROTATE_S, SETTLE_S, Follower, rotated

from fileaudit_engine.sinks.syslog.connection import End
from fileaudit_engine.sinks.syslog.failures import Refused
from fileaudit_engine.sinks.syslog.patience import DEFAULT


def test_nothing_is_kept_while_a_connection_is_used() -> None:
    follower = Follower()
    follower.carry(3)
    follower.receiver.read()
    follower.passes(ROTATE_S - 0.1)
    follower.keep()
    assert (follower.kept, len(follower.receiver.connections)) == (0, 1)


def test_the_next_connection_is_there_before_the_old_one_ends() -> None:
    follower = rotated()
    old, following = follower.receiver.connections
    assert (old.ended, following.ended) == (True, False)
    assert not follower.carry(2)
    assert following.written


def test_rows_are_kept_once_the_receiver_has_ended_and_lived_on_for_a_while() -> None:
    follower = rotated()
    follower.receiver.read()
    follower.keep()
    follower.passes(SETTLE_S - 0.1)
    follower.keep()
    assert follower.kept == 0
    follower.passes(0.1)
    follower.keep()
    assert follower.kept == 3


def test_where_nothing_was_carried_everything_is_kept() -> None:
    follower = Follower()
    follower.streams.keep(70)
    assert follower.kept == 70


def test_a_receiver_that_dies_before_it_has_written_gets_everything_again() -> None:
    follower = rotated()
    follower.receiver.read()
    follower.keep()
    follower.receiver.die()
    assert follower.carry(1) == "the receiver has reset the connection"
    assert follower.streams.again()
    assert not follower.streams.again(), "it is said once"
    assert follower.kept == 0


def test_an_end_that_nobody_asked_for_keeps_nothing() -> None:
    follower = Follower()
    follower.carry(3)
    follower.receiver.read()
    follower.receiver.connections[0].reason = "the receiver has closed the connection"
    assert follower.carry(1)
    assert follower.streams.again()


def test_an_idle_connection_may_be_closed_by_the_receiver() -> None:
    follower = rotated()
    follower.receiver.read()
    follower.keep()
    follower.passes(SETTLE_S)
    follower.keep()
    follower.receiver.connections[1].reason = "the receiver has closed the connection"
    assert not follower.carry(1)
    assert not follower.streams.again()


def test_until_somebody_has_asked_what_is_lost_nothing_more_is_carried() -> None:
    follower = Follower()
    follower.carry(1)
    follower.receiver.die()
    follower.receiver.lives = True
    assert follower.carry(1)
    assert follower.carry(1)
    follower.keep()
    assert not follower.carry(1)


def test_a_frame_that_the_receiver_takes_in_parts_is_one_frame() -> None:
    follower = Follower(window=7)
    assert follower.carry(5) == "the receiver reads nothing"
    assert follower.position == 3, "b'1 1', b'1 2', and a part of b'1 3'"
    follower.receiver.read()
    assert not follower.carry(1)
    follower.receiver.read()
    assert follower.received == [1, 2, 3, 4]


def test_a_connection_is_not_ended_in_the_middle_of_a_frame() -> None:
    follower = Follower(window=7)
    follower.carry(5)
    follower.passes(ROTATE_S)
    follower.keep()
    assert not follower.receiver.connections[0].ended


def test_a_receiver_that_reads_nothing_for_a_minute_is_given_up() -> None:
    follower = Follower(window=7)
    follower.carry(5)
    follower.passes(DEFAULT.dead_s)
    assert follower.carry(1) == "the receiver has read nothing for 60 s"
    assert follower.streams.again()


def test_a_receiver_that_was_idle_for_an_hour_may_be_slow() -> None:
    follower = Follower(window=7)
    follower.passes(3_600)
    assert follower.carry(5) == "the receiver reads nothing"


def test_a_receiver_that_never_ends_a_connection_is_believed_and_that_is_told_once() -> None:
    follower = rotated(ends=False)
    for seconds in (DEFAULT.end_s, DEFAULT.silent_s):
        follower.receiver.read()
        follower.passes(seconds - 1)
        follower.keep()
        assert follower.kept < follower.position, "it may be stopped"
        follower.passes(1)
        follower.keep()
        assert follower.kept == follower.position
        follower.carry(1)
        follower.rotates()
    (said,) = follower.told
    assert "never ends a connection" in said


def test_a_receiver_that_has_ended_connections_before_is_not_believed_when_it_does_not() -> None:
    follower = rotated()
    follower.receiver.read()
    follower.keep()
    follower.passes(SETTLE_S)
    follower.keep()
    follower.carry(2)
    follower.receiver.ends = False
    follower.rotates()
    follower.passes(DEFAULT.silent_s)
    follower.keep()
    assert (follower.kept, follower.position) == (3, 5)
    follower.passes(DEFAULT.end_s)
    follower.keep()
    assert (follower.kept, follower.position) == (3, 3)


def test_a_receiver_that_only_listens_cannot_answer_though_another_one_there_did() -> None:
    follower = rotated()
    follower.settles()
    follower.carry(2)
    follower.receiver.ends, follower.receiver.only_listens = False, True
    follower.rotates()
    follower.receiver.read()
    follower.passes(DEFAULT.silent_s)
    follower.keep()
    assert (follower.kept, follower.position) == (5, 5)
    assert not follower.told


def test_bytes_that_nobody_acknowledges_are_carried_again() -> None:
    follower = rotated(is_gone=True)
    follower.passes(DEFAULT.silent_s)
    assert follower.streams.again()
    assert follower.kept == 0


def test_over_tls_an_end_without_a_word_counts_only_if_the_receiver_knows_no_better() -> None:
    first = rotated(end=End.BARE)
    first.receiver.read()
    first.keep()
    first.passes(SETTLE_S)
    first.keep()
    assert first.kept == 3
    second = rotated()
    second.receiver.read()
    second.keep()
    second.passes(SETTLE_S)
    second.keep()
    second.carry(1)
    second.receiver.end = End.BARE
    second.rotates()
    second.receiver.read()
    assert second.streams.again(), "somebody between us may have cut it off"


def test_without_a_next_connection_the_old_one_goes_on() -> None:
    follower = Follower()
    follower.carry(3)
    follower.receiver.lives = False
    follower.passes(ROTATE_S)
    follower.keep()
    assert not follower.carry(1)
    follower.receiver.lives = True
    follower.passes(DEFAULT.retry_s)
    follower.rotates()
    assert follower.receiver.connections[0].ended


def test_a_refusal_in_between_ends_the_old_connection_and_is_told_with_the_next_frame() -> None:
    follower = Follower()
    follower.carry(3)
    follower.receiver.refusal = Refused("the certificate has expired")
    follower.passes(ROTATE_S)
    follower.keep()
    assert follower.receiver.connections[0].ended
    with pytest.raises(Refused, match="expired"):
        follower.carry(1)


def test_a_refusal_that_comes_late_is_told_as_one() -> None:
    follower = Follower()
    follower.carry(1)
    broken = follower.receiver.connections[0]
    broken.reason, broken.failure = "the receiver has ended TLS", OSError()
    assert follower.carry(1) == "the receiver has ended TLS"
    follower.keep()
    with pytest.raises(Refused, match="another certificate"):
        follower.carry(1)
    assert not follower.carry(1), "then it is tried again"


def test_at_the_end_what_has_ended_in_good_order_is_kept() -> None:
    follower = Follower()
    follower.carry(3)
    follower.streams.keep(3)
    follower.receiver.read()
    follower.streams.close()
    assert follower.kept == 3
    assert all(connection.closed for connection in follower.receiver.connections)


@pytest.mark.parametrize("how", [End.BROKEN, End.WAITING])
def test_at_the_end_nothing_is_kept_of_what_does_not_end_in_good_order(
    how: End, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = Follower(end=how, ends=how is not End.WAITING)
    monkeypatch.setattr(time, "sleep", follower.passes)
    follower.carry(3)
    follower.streams.keep(3)
    follower.receiver.read()
    follower.streams.close()
    assert follower.kept == 0


def test_at_the_end_a_receiver_that_never_ends_is_believed_if_there_is_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    follower = Follower(replace(DEFAULT, close_s=15.0), ends=False)
    monkeypatch.setattr(time, "sleep", follower.passes)
    follower.carry(3)
    follower.streams.keep(3)
    follower.receiver.read()
    follower.streams.close()
    assert follower.kept == 3
    assert len(follower.told) == 1


def test_at_the_end_nothing_is_kept_of_a_connection_that_breaks() -> None:
    follower = rotated()
    follower.carry(1)
    follower.receiver.connections[0].reason = "the receiver has reset the connection"
    follower.streams.close()
    assert follower.kept == 0


STEPS = st.one_of(
    st.tuples(st.just("carry"), st.integers(1, 12)),
    st.tuples(st.just("keep"), st.just(0)),
    st.tuples(st.just("pass"), st.sampled_from([1, 2, 5, 10, 60])),
    st.tuples(st.just("read"), st.integers(1, 100)),
    st.tuples(st.just("die"), st.just(0)),
    st.tuples(st.just("live"), st.just(0)),
    st.tuples(st.just("rotate"), st.integers(1, 3)),
)


@settings(max_examples=500, deadline=None)
@given(steps=st.lists(STEPS, max_size=60), window=st.integers(4, 200), room=st.integers(1, 3))
def test_whenever_a_receiver_dies_what_is_kept_is_on_its_disk_and_all_comes_in_the_end(
    steps: list[tuple[str, int]], window: int, room: int
) -> None:
    follower = Follower(window=window, room=room)
    follower.streams._judge.has_ended(End.GOOD)  # it is known to end connections
    for what, number in steps:
        match what:
            case "carry":
                follower.carry(number)
            case "keep":
                follower.keep()
            case "pass":
                follower.passes(number)
            case "read":
                follower.receiver.read(number)
            case "rotate":
                follower.carry(number)
                follower.rotates()
                follower.receiver.read()
                follower.keep()
            case "die":
                follower.receiver.die()
            case _:
                follower.receiver.lives = True
        assert set(range(1, follower.kept + 1)) <= set(follower.received)
    follower.receiver.lives = True
    wanted = follower.position + 5
    for _ in range(1_000):
        if follower.kept >= wanted:
            break
        follower.carry(max(wanted - follower.position, 0))
        follower.receiver.read()
        follower.passes(1)
        follower.keep()
    assert set(follower.received) >= set(range(1, wanted + 1))
