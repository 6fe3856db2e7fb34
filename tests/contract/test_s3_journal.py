"""What a journal in S3 keeps beyond the contract: answers that do not tell, damage, and who may use it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ConnectionClosedError

from bluegreen import Deployment, Operator
from bluegreen.aws import S3Journal
from bluegreen.aws.journal import ATTEMPTS
from bluegreen.clock import SystemClock
from bluegreen.core.errors import JournalDamaged, JournalError, LockTaken, SlotTaken
from bluegreen.core.state import Phase
from bluegreen.journal.log import Log
from bluegreen_sim import SimCloud
from tests.contract.races import REFUSALS, Faults, refusal
from tests.contract.test_journals import holder, record
from tests.crash.boundaries import QUICK
from tests.scenarios.story import assert_replays, plan

if TYPE_CHECKING:
    from tests.moto_server import MotoServer

pytestmark = pytest.mark.contract


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SystemClock, "sleep", lambda *_: None)


@pytest.fixture
def journal(moto: MotoServer) -> Iterator[S3Journal]:
    """An empty journal."""
    moto.client("s3").create_bucket(Bucket="journals")
    with closing(of(moto)) as made:
        yield made


def of(moto: MotoServer, bucket: str = "journals", **options: Any) -> S3Journal:
    """The journal of the tests' service."""
    return S3Journal(bucket, "team/shop", session=moto.session(), endpoint_url=moto.url, **options)


def struck(journal: S3Journal, *, before: list[Any] | None = None, after: int = 0) -> list[str]:
    """Refuse the next puts as told, or lose the answers of the next ``after``; notes what it saw."""
    events, left, seen = journal._clients.write.s3.meta.events, iter(before or ()), []

    def refuse(**_: Any) -> Any:
        found = next(left, None)
        seen.append("put")
        return found and refusal(*found)

    def lose(**_: Any) -> None:
        if seen.count("lost") < after:
            seen.append("lost")
            raise ConnectionClosedError(endpoint_url="http://lost.invalid")

    events.register("before-send.s3.PutObject", refuse)
    events.register("after-call.s3.PutObject", lose)
    return seen


# ------------------------------------------------------------------------------------------ what is not told


@pytest.mark.parametrize("answer", REFUSALS, ids=lambda answer: answer[1])
def test_a_put_that_was_refused_for_now_is_sent_again(answer: tuple[int, str], journal: S3Journal) -> None:
    """After a 409, 503 or 500 the slot is read back, found empty, and asked for again."""
    seen = struck(journal, before=[answer])
    journal.put(1, record(1))
    assert seen == ["put", "put"]
    assert journal.records() == [record(1)]


def test_ones_own_record_is_recognised(journal: S3Journal) -> None:
    """When the answer is lost, the slot is read back: what stands there is one's own, by its nonce."""
    seen = struck(journal, after=1)
    journal.put(1, record(1))
    assert seen == ["put", "lost"]
    assert journal.records() == [record(1)]


def test_a_twin_of_ones_own_record_is_not(journal: S3Journal, moto: MotoServer) -> None:
    """An equal record that another process put into the slot is not taken for one's own."""
    with closing(of(moto)) as other:
        other.put(1, record(1))
    struck(journal, before=[REFUSALS[0]])
    with pytest.raises(SlotTaken):
        journal.put(1, record(1))


def test_what_is_never_told_is_an_error(journal: S3Journal) -> None:
    """After five refusals it is JournalError and not SlotTaken, and nothing was put."""
    seen = struck(journal, before=[REFUSALS[1]] * ATTEMPTS)
    with pytest.raises(JournalError, match="SlowDown") as caught:
        journal.put(1, record(1))
    assert not isinstance(caught.value, SlotTaken)
    assert len(seen) == ATTEMPTS
    assert journal.records() == []


def test_a_sign_of_life_is_written_again(journal: S3Journal) -> None:
    """A renewal that another one crossed is repeated on what is there now; a stale one stays ignored."""
    journal.renew(holder(1))
    struck(journal, before=[REFUSALS[0], (412, "PreconditionFailed"), REFUSALS[2]])
    journal.renew(holder(3))
    journal.renew(holder(2, 999.0))
    assert journal.holder() == holder(3)


def test_a_record_that_arrives_late_voids_what_was_decided_since(
    journal: S3Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A put is given up and lands later: the next append fails, and after reading again all goes on."""
    log, late = Log(journal, "shop"), []
    log.take()
    with monkeypatch.context() as patch:
        patch.setattr(S3Journal, "put", lambda _, seq, one: late.append((seq, one)) or fail())
        with pytest.raises(JournalError, match="timed out"):
            log.append("outcomes", {"n": 1}, "shop-1")
    log.settle()  # the log was read again, and the record was not there yet
    journal.put(*late[0])
    with pytest.raises(JournalError, match="holds a record that was given up"):
        log.append("outcomes", {"n": 2}, "shop-1")
    log.settle()
    log.append("outcomes", {"n": 3}, "shop-1")
    assert [one.body.get("n") for one in journal.records()] == [None, 1, 3]


def fail() -> None:
    """What a put ends with that nobody answered."""
    raise JournalError("timed out")


def test_a_deployment_goes_through_it_all(journal: S3Journal) -> None:
    """With every third write refused or its answer lost, a release is promoted, and the journal replays."""
    faults = Faults(random.Random(7), chance=0.33)
    faults.strike(journal)
    wanted = plan("weighted")
    cloud = SimCloud(wanted, capacity=2, settings=QUICK, traffic=0)
    result = Deployment(wanted, cloud, journal=journal).run()
    assert result.phase is Phase.PROMOTED
    assert faults.count > 10
    assert_replays(journal)


# --------------------------------------------------------------------------------------------------- damage


def objects(moto: MotoServer) -> dict[str, bytes]:
    """What is in the bucket."""
    s3 = moto.client("s3")
    found = s3.list_objects_v2(Bucket="journals").get("Contents", ())
    return {each["Key"]: s3.get_object(Bucket="journals", Key=each["Key"])["Body"].read() for each in found}


def test_slots_have_names_of_one_width(journal: S3Journal, moto: MotoServer) -> None:
    """S3 lists names in their order, so a slot's number has twelve digits; the sign is beside the records."""
    for seq in range(1, 12):
        journal.put(seq, record(seq))
    journal.renew(holder(1))
    names = [f"team/shop/records/{seq:012d}.json" for seq in range(1, 12)]
    assert list(objects(moto)) == ["team/shop/holder.json", *names]


def test_a_flipped_bit_is_found(journal: S3Journal, moto: MotoServer) -> None:
    """A bit flipped in any byte of a record or of the sign of life is found by the next one who reads."""
    journal.put(1, record(1))
    journal.renew(holder(1))
    s3 = moto.client("s3")
    for key, whole in objects(moto).items():
        read = journal.holder if key.endswith("holder.json") else journal.records
        for place in range(0, len(whole), 1 if key.endswith("holder.json") else 5):
            bad = whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :]
            s3.put_object(Bucket="journals", Key=key, Body=bad)
            with pytest.raises(JournalDamaged):
                read()
        s3.put_object(Bucket="journals", Key=key, Body=whole)
        read()


@pytest.mark.parametrize("gone", [1, 2, 3])
def test_a_record_that_is_gone_is_found(gone: int, journal: S3Journal, moto: MotoServer) -> None:
    """Deleted in the middle or at the end, a record is missed by whoever has seen it or one after it."""
    for seq in range(1, 4):
        journal.put(seq, record(seq))
    key = f"team/shop/records/{gone:012d}.json"
    moto.client("s3").delete_object(Bucket="journals", Key=key)
    with closing(of(moto)) as other, pytest.raises(JournalDamaged, match=f"slot {gone} is missing"):
        other.records(0 if gone < 3 else 3)


def test_other_objects_are_left_alone(journal: S3Journal, moto: MotoServer) -> None:
    """What else lies under the prefix is no record."""
    s3 = moto.client("s3")
    for key in ("team/shop/records/", "team/shop/records/000000000001.json.bak", "team/shop/readme"):
        s3.put_object(Bucket="journals", Key=key, Body=b"")
    journal.put(1, record(1))
    assert journal.records() == [record(1)]
    assert journal.tail() == record(1)


# -------------------------------------------------------------------------------------------- who may use it


def test_a_bucket_that_is_not_there_is_named(journal: S3Journal, moto: MotoServer) -> None:
    """Every call on a missing bucket is one error with its name and the remedy; the journal makes none."""
    del journal
    with closing(of(moto, "elsewhere")) as other:
        for call in (other.records, other.holder, other.tail, lambda: other.put(1, record(1))):
            with pytest.raises(JournalError, match=r"s3://elsewhere/team/shop: NoSuchBucket.*create"):
                call()
    assert [each["Name"] for each in moto.client("s3").list_buckets()["Buckets"]] == ["journals"]


def test_the_owner_is_asked_for(journal: S3Journal, moto: MotoServer) -> None:
    """With ``owner`` every request names the account that the bucket must belong to."""
    del journal
    seen = []
    with closing(of(moto, owner="123456789012")) as ours:
        for services in (ours._clients.read, ours._clients.write):
            services.s3.meta.events.register(
                "before-call.s3", lambda params, **_: seen.append(params["headers"])
            )
        ours.put(1, record(1))
        ours.renew(holder(1))
        ours.records()
    assert len(seen) >= 5
    assert {headers.get("x-amz-expected-bucket-owner") for headers in seen} == {"123456789012"}


def test_bucket_and_prefix_are_checked_at_once() -> None:
    """Names that S3 does not have, or that would share a place, are refused with all faults; so is a URL."""
    with pytest.raises(JournalError, match=r"(?s)bucket: 'B': must .*prefix: '/x/': must") as caught:
        S3Journal("B", "/x/")
    assert str(caught.value).count("\n") == 1
    for url in ("s3://journals", "s3://journals/", "https://journals/shop", "journals/shop", "s3://J/a"):
        with pytest.raises(JournalError):
            S3Journal.at(url)


# ------------------------------------------------------------------------------------------------ the lease


def test_who_took_the_lease_is_told(journal: S3Journal) -> None:
    """A loser learns who holds the service, since when, until when and with which fence."""
    log = Log(journal, "shop", name="first", wall=lambda: 100.0)
    log.take()
    with pytest.raises(LockTaken, match=r"being deployed by first \(fence 1\)") as caught:
        Log(journal, "shop", wall=lambda: 130.0).take()
    taken = caught.value
    assert (taken.by, taken.fence, taken.since, taken.until) == ("first", 1, 100.0, 160.0)


def test_a_stale_holder_stops_on_s3(journal: S3Journal) -> None:
    """Unlocked by an operator, the holder loses its next append, and the next one begins at once."""
    log = Log(journal, "shop", name="first")
    log.take()
    Operator(journal, "shop", by="alice").unlock(1)
    with pytest.raises(LockTaken, match="taken over by a holder with fence 2"):
        log.append("outcomes", {}, "shop-1")
    second = Log(journal, "shop")
    second.take()
    assert second.fence == 3
    assert [one.kind for one in journal.records()] == ["lease"] * 3
