"""Pods say that they live; who is silent is forgotten with its sockets, and may come back."""

from datetime import timedelta

import pytest
from django_redis import get_redis_connection
from pytest_django.fixtures import Settings

from lib import clock
from lib.ids import uuid7
from notifications.inbox import keys, presence
from notifications.inbox.models import Client, Pod, UsedTicket
from notifications.inbox.pods import pod_beat, pod_leave, pods_reap
from notifications.inbox.presence import Everybody, Gone, Here, presence_write


def _beat() -> bool:
    return pod_beat(address="127.0.0.1:1", connections=2, users=1, draining=False)


def _here(login: str = "alice") -> Here:
    return Here(str(uuid7()), 1, 1, login, "phone", "10.0.0.1", "browser", clock.now())


def test_a_pod_that_beats_is_known_from_the_second_time_on(clean_redis: None) -> None:
    assert [_beat(), _beat()] == [False, True]
    pod = Pod.objects.get()
    assert (pod.connections, pod.users, pod.draining) == (2, 1, False)
    assert pod.pod_id.encode() in get_redis_connection("default").hgetall(keys.PODS)


def test_a_silent_pod_is_reaped_with_its_sockets_and_others_stay(
    settings: Settings, clean_redis: None
) -> None:
    for name in ("dead", "alive"):
        settings.POD_ID = name
        _beat()
        presence_write([_here(name)])
    Pod.objects.filter(pod_id="dead").update(beat_at=clock.now() - timedelta(seconds=91))
    assert pods_reap() == {"pods": 1, "clients": 1, "tickets": 0}
    assert [pod.pod_id for pod in Pod.objects.all()] == ["alive"]
    assert [client.login for client in Client.objects.all()] == ["alive"]
    assert set(get_redis_connection("default").hgetall(keys.PODS)) == {b"alive"}
    assert pods_reap() == {"pods": 0, "clients": 0, "tickets": 0}
    settings.POD_ID = "dead"
    assert _beat() is False, "it learns that its sockets have to be written again"


def test_sockets_of_a_pod_without_a_row_go_after_a_while() -> None:
    presence_write([_here()])
    assert pods_reap()["clients"] == 0
    Client.objects.update(connected_at=clock.now() - timedelta(seconds=91))
    assert pods_reap()["clients"] == 1


def test_used_tickets_are_forgotten_once_they_are_dead_anyway() -> None:
    for age_s in (30, 90):
        UsedTicket.objects.create(jti=uuid7(), expires_at=clock.now() - timedelta(seconds=age_s))
    assert pods_reap()["tickets"] == 1


def test_a_pod_that_leaves_takes_its_sockets_along(clean_redis: None) -> None:
    _beat()
    presence_write([_here()])
    pod_leave()
    assert not Pod.objects.exists()
    assert not Client.objects.exists()


def test_a_pod_beats_while_redis_is_away(redis_away: None) -> None:
    assert [_beat(), _beat()] == [False, True]


def test_sockets_come_and_go_in_the_order_of_the_notes() -> None:
    one, other, late = _here("one"), _here("other"), _here("late")
    presence_write([one, other, Gone(one.client_id)])
    presence_write([one, other, Gone(one.client_id)])
    assert [client.login for client in Client.objects.all()] == ["other"]
    presence_write([Gone(other.client_id), Everybody((one, other)), Gone(one.client_id), late])
    assert sorted(client.login for client in Client.objects.all()) == ["late", "other"]


def test_people_are_listed_once_with_their_connections() -> None:
    presence_write([_here("ann"), _here("ann"), _here("bea")])
    found = presence.users()
    assert [(each["login"], each["connections"]) for each in found] == [("ann", 2), ("bea", 1)]
    assert presence.users(after=(1, "ann"))[0]["login"] == "bea"


def test_a_socket_is_listed_as_it_introduced_itself() -> None:
    presence_write([_here()])
    client = presence.clients().get()
    assert (client.device, client.address, client.user_agent) == ("phone", "10.0.0.1", "browser")


@pytest.mark.parametrize("address", [None, "::1"])
def test_an_address_may_be_of_any_kind(address: str | None) -> None:
    presence_write([Here(str(uuid7()), 1, 1, "x", "", address, "", clock.now())])
    assert Client.objects.get().address == address
