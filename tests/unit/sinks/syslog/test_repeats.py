"""What a receiver could make come again and again is bounded, and told; there is progress all the same."""

import time

import pytest
from tests.unit.sinks.syslog.following import SETTLE_S, Follower, rotated

from fileaudit_engine.sinks.syslog.connection import End
from fileaudit_engine.sinks.syslog.doubts import MANY, MOST, PORTION
from fileaudit_engine.sinks.syslog.ending import RESETS
from fileaudit_engine.sinks.syslog.failures import Unreachable
from fileaudit_engine.sinks.syslog.patience import DEFAULT


def test_a_receiver_with_room_for_one_connection_gets_everything_once() -> None:
    follower = Follower(room=1)
    for turn in range(1, 8):
        assert not follower.carry(3), turn
        for _ in range(40):
            follower.receiver.read()
            follower.passes(1)
            follower.keep()
        assert follower.kept == 3 * turn
    assert follower.received == list(range(1, 22))
    (said,) = follower.told
    assert "no room for a second connection" in said
    assert "max-connections" in said


def test_a_next_connection_that_the_receiver_closes_at_once_costs_nothing() -> None:
    follower = Follower()
    follower.carry(3)
    follower.receiver.room = 1
    follower.rotates()
    assert not follower.carry(1)
    assert not follower.streams.again()
    assert not follower.receiver.connections[0].ended


def test_without_a_next_connection_twice_the_only_one_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    follower = Follower()
    follower.carry(3)
    connect = follower.receiver.connect

    def busy() -> None:
        raise Unreachable("does not answer in TLS")

    monkeypatch.setattr(follower.receiver, "connect", busy)
    follower.rotates()
    follower.passes(DEFAULT.retry_s)
    follower.keep()
    monkeypatch.setattr(follower.receiver, "connect", connect)
    assert follower.receiver.connections[0].ended
    follower.settles()
    assert follower.kept == 3
    assert len(follower.told) == 1


def alone(count: int = 3) -> Follower:
    """So many rows are carried to a receiver with room for one connection, and that is on its way out."""
    follower = Follower(room=1)
    follower.carry(count)
    follower.rotates()
    follower.passes(DEFAULT.retry_s)
    follower.keep()
    assert follower.receiver.connections[0].ended
    return follower


def test_until_the_only_connection_has_ended_nothing_is_carried() -> None:
    follower = alone()
    assert (
        follower.carry(1) == "the receiver gets one connection at a time, and has not ended the last one yet"
    )
    follower.receiver.read()
    assert not follower.carry(1)


def test_a_receiver_that_is_gone_when_it_has_ended_the_only_connection_was_killed() -> None:
    follower = alone()
    follower.receiver.read()
    follower.receiver.lives = False
    assert follower.streams.again()
    assert follower.kept == 0


def test_a_receiver_that_dies_after_the_end_of_the_only_connection_gets_everything_again() -> None:
    follower = alone()
    follower.receiver.read()
    follower.receiver.dies_when_watched = True
    assert follower.streams.again()
    assert follower.kept == 0


def test_a_receiver_whose_room_another_sender_takes_lives_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    follower = alone()
    monkeypatch.setattr(time, "sleep", follower.passes)
    follower.receiver.read()
    follower.receiver.room = 0
    follower.keep()
    follower.passes(1)
    follower.keep()
    assert follower.kept == 3
    assert "at once" in follower.carry(1)
    assert not follower.streams.again()


def test_a_receiver_with_room_again_gets_the_next_connection_before_the_old_one_ends() -> None:
    follower = alone()
    follower.settles()
    follower.receiver.room = 2
    follower.streams.hurry()
    follower.carry(1)
    follower.rotates()
    old, following = [one for one in follower.receiver.connections if not one.closed]
    assert (old.ended, following.ended) == (True, False)


def test_a_receiver_that_always_resets_what_we_end_is_believed_and_that_is_told_once() -> None:
    follower = Follower(end=End.BROKEN)
    follower.carry(3)
    for _ in range(RESETS - 1):
        follower.rotates()
        follower.settles()
        assert (follower.kept, follower.position) == (0, 0), "it may have failed"
        follower.carry(3)
    for kept in (3, 6):
        follower.rotates()
        follower.settles()
        assert follower.kept == kept
        follower.carry(3)
    (said,) = follower.told
    assert "resets connections when we end them" in said
    assert follower.received.count(4) == 1


def test_a_receiver_that_resets_what_we_end_and_dies_is_not_believed() -> None:
    follower = Follower(end=End.BROKEN)
    for _ in range(RESETS):
        follower.carry(3)
        follower.rotates()
        follower.receiver.read()
        follower.keep()
        follower.receiver.die()
        follower.receiver.lives = True
        follower.passes(SETTLE_S)
        assert follower.streams.again()
        assert follower.kept == 0


def test_a_reset_of_what_was_not_acknowledged_is_a_loss() -> None:
    follower = rotated()
    follower.receiver.connections[0].reason = "the receiver has reset the connection"
    assert follower.streams.again()


def test_resets_do_not_count_if_the_receiver_is_known_to_end_well() -> None:
    follower = Follower()
    follower.carry(1)
    follower.rotates()
    follower.settles()
    assert follower.kept == 1
    follower.receiver.end = End.BROKEN
    for _ in range(RESETS + 1):
        follower.streams.hurry()
        follower.carry(1)
        follower.rotates()
        follower.settles()
        assert follower.kept == 1


def breaking(follower: Follower) -> None:
    """The receiver closes all connections by itself, and what it has read nobody knows."""
    for connection in follower.receiver.connections:
        connection.reason = connection.reason or "the receiver has closed the connection"
    follower.keep()


def test_what_breaks_again_and_again_is_told_with_a_remedy_and_left_alone_longer_each_time() -> None:
    follower = Follower(window=1 << 20)
    pauses = []
    for _ in range(MANY + 12):
        began_s = follower.receiver.now_s
        while follower.carry(500) and not follower.position:
            follower.passes(1)
        pauses.append(follower.receiver.now_s - began_s)
        breaking(follower)
        assert follower.position == 0
    assert pauses == sorted(pauses)
    assert pauses[:MANY] == [0] * MANY
    assert pauses[-1] == DEFAULT.longest_pause_s
    (said,) = follower.told
    assert "closes connections by itself" in said


def test_what_comes_again_and_again_are_few_frames() -> None:
    follower = Follower(window=1 << 20)
    for _ in range(MANY + 10):
        follower.streams.hurry()
        follower.carry(500)
        last = follower.position
        breaking(follower)
    assert last == 1


def test_a_receiver_that_closes_connections_by_itself_has_everything_in_the_end() -> None:
    follower, rows = Follower(window=1 << 20), 10_000
    for _ in range(MANY):
        assert not follower.carry(500)
        breaking(follower)
    most = 0
    for _ in range(600):
        before = follower.position
        follower.carry(min(rows - before, 500))
        most = max(most, follower.position - before)
        follower.receiver.read()
        follower.passes(1)
        follower.keep()
        if follower.kept == rows:
            break
    assert follower.kept == rows
    assert follower.received == list(range(1, rows + 1)), "but for what was lost, all came once"
    assert most == 500, "portions grow"
    assert PORTION < most < MOST


def portions(follower: Follower, turns: int) -> None:
    """So many portions go well."""
    for _ in range(turns):
        follower.carry(2 * MOST)
        follower.receiver.read()
        follower.passes(1)
        follower.keep()


def test_a_portion_that_breaks_is_halved_at_once_and_nothing_is_told_twice() -> None:
    follower = Follower(window=1 << 20)
    for _ in range(MANY):
        follower.carry(10)
        breaking(follower)
    follower.streams.hurry()
    portions(follower, 9)
    kept = follower.kept
    assert kept == PORTION * sum(2**turn for turn in range(7)) + 2 * MOST, "and no larger than that"
    follower.carry(2 * MOST)
    assert follower.position - kept == MOST
    breaking(follower)
    assert "at a time" in follower.carry(2 * MOST)
    assert follower.position - kept == MOST // 2
    assert len(follower.told) == 1


def test_what_has_not_broken_for_an_hour_is_doubted_no_more() -> None:
    follower = Follower(window=1 << 20)
    for _ in range(MANY):
        follower.carry(10)
        breaking(follower)
    follower.passes(DEFAULT.alone_s)
    portions(follower, 1)
    assert not follower.carry(2 * MOST)


def test_the_rest_of_the_last_frame_follows_though_no_other_frame_does() -> None:
    follower = Follower(window=7)
    follower.carry(3)
    assert follower.position == 3
    follower.receiver.read()
    follower.keep()
    follower.receiver.read()
    assert follower.received == [1, 2, 3]


def test_a_receiver_that_reads_slowly_what_was_ended_is_waited_for() -> None:
    follower = Follower(window=1 << 20, is_gone=True)
    follower.carry(100)
    follower.rotates()
    for _ in range(100):
        follower.receiver.read(5)
        follower.passes(DEFAULT.silent_s - 1)
        follower.keep()
    follower.settles()
    assert follower.kept == 100
    assert follower.received == list(range(1, 101))
