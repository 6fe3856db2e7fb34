"""What is ours on AWS: seen, told apart from what is not, and removed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, repeat
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from bluegreen.aws.clients import Clients
from bluegreen.aws.names import tag_list
from bluegreen.aws.owned import Owned, Removed, inventory, leftovers, remove
from bluegreen.core.errors import BlueGreenError
from tests.moto_account import GROUPS, TEMPLATE, lay_out
from tests.moto_server import MotoServer
from tests.owned_things import (
    FIRST,
    OTHERS,
    SECOND,
    SERVICE,
    Instant,
    built,
    clients_of,
    everything,
    first_release,
    group,
    standing,
    version,
)

pytestmark = pytest.mark.contract
NOTHING = {"groups": [], "instances": [], "versions": ["1"], "images": [], "snapshots": [], "volumes": []}


@pytest.fixture
def clients(moto: MotoServer) -> Iterator[Clients]:
    """Clients of the account."""
    found = clients_of(moto)
    yield found
    found.close()


def remove_all(clients: Clients, **more: Any) -> list[Removed]:
    """Remove all that is the service's, as `destroy` does it; gives what happened."""
    items = inventory(clients, SERVICE, TEMPLATE)
    return list(remove(clients, items, Instant(), template=TEMPLATE, **more))


def ends(happened: list[Removed]) -> dict[str, str]:
    """The end of each thing."""
    return {each.item.name: each.what for each in happened if each.what not in ("asked", "waits", "again")}


def whys(happened: list[Removed], what: str) -> dict[str, str]:
    """The reasons of those that ended so."""
    return {each.item.name: each.detail for each in happened if each.what == what}


def answering(clients: Clients, operation: str, code: str, message: str = "", times: int = 10**9) -> None:
    """Let a mutating or reading operation be refused so often, before it reaches the server."""
    left = [times]

    def refuse(**_: Any) -> Any:
        if left[0] == 0:
            return None
        left[0] -= 1
        http = type("Answer", (), {"status_code": 400})()
        return http, {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": 400},
        }

    for services in (clients.read, clients.write):
        for client in (services.autoscaling, services.ec2):
            service = client.meta.service_model.service_id.hyphenize()
            client.meta.events.register(f"before-call.{service}.{operation}", refuse)


def on_write(clients: Clients, moment: str, handler: Callable[[str], None]) -> None:
    """Call ``handler`` with the operation's name before or after each request that changes something."""

    def call(model: Any, **_: Any) -> None:
        handler(model.name)

    for client in (clients.write.autoscaling, clients.write.ec2):
        client.meta.events.register(f"{moment}-call", call)


def shown(client: Any, operation: str, change: Callable[[Any], object]) -> None:
    """Let a client show an operation's answers changed."""

    def changed(parsed: Any, **_: Any) -> None:
        change(parsed)

    service = client.meta.service_model.service_id.hyphenize()
    client.meta.events.register(f"after-call.{service}.{operation}", changed)


def each_group(clients: Clients, **members: Any) -> None:
    """Let every Auto Scaling group be shown with other members."""
    shown(
        clients.read.autoscaling,
        "DescribeAutoScalingGroups",
        lambda answer: [each.update(members) for each in answer["AutoScalingGroups"]],
    )


def changes(moto: MotoServer) -> list[str]:
    """The operations that change something, as they were sent."""
    return [name for name in moto.operations() if not name.startswith("Describe")]


# ------------------------------------------------------------------------------------------------ inventory


def test_what_is_ours_is_seen_with_who_made_it_and_who_uses_it(moto: MotoServer, clients: Clients) -> None:
    """A first release's group, instances, version, image and snapshot are listed, each with its users."""
    first_release(moto)
    found = inventory(clients, SERVICE, TEMPLATE)
    assert [item.kind for item in found] == [
        "group", "instance", "instance", "template-version", "image", "snapshot"
    ]  # fmt: skip
    group, one, _, version, image, snapshot = found
    assert (group.id, group.made_by, group.used_by) == (GROUPS[0], f"deployment {FIRST}", ())
    assert one.used_by == (group.name,)
    assert (version.id, version.made_by, version.used_by) == (
        f"{TEMPLATE}:2", f"deployment {FIRST}", (group.name,)
    )  # fmt: skip
    assert (image.made_by, image.used_by) == ("build b1", (version.name, group.name))
    assert (snapshot.made_by, snapshot.used_by) == ("build b1", (image.name,))
    assert {item.service for item in found} == {SERVICE}


def test_what_is_not_ours_is_not_seen(moto: MotoServer, clients: Clients) -> None:
    """Groups, instances, versions and images of the user, or of another service, are not the service's."""
    account = lay_out(moto, "shared")
    ec2 = moto.client("ec2")
    ec2.create_launch_template_version(
        LaunchTemplateName=TEMPLATE, VersionDescription="mine", LaunchTemplateData={"ImageId": "ami-0beta"}
    )
    assert inventory(clients) == ()
    group(moto, account, "orders", version(moto, "ami-0beta", OTHERS), service="orders", token=OTHERS)
    built(moto, service="orders", token="b9", image="orders 1")
    assert inventory(clients, SERVICE, TEMPLATE) == ()
    assert {item.service for item in inventory(clients)} == {"orders"}
    assert inventory(clients) == inventory(clients, "orders", TEMPLATE)


def test_a_group_is_ours_if_the_user_says_so(moto: MotoServer, clients: Clients) -> None:
    """The tag on a standing group makes it ours, with its instances, though these do not bear it."""
    standing(moto, tagged=True)
    found = [item for item in inventory(clients, SERVICE, TEMPLATE) if item.kind in ("group", "instance")]
    assert [item.id for item in found[:2]] == list(GROUPS)
    assert [item.made_by for item in found] == [""] * 4
    assert [item.used_by for item in found[2:]] == [(f"group {GROUPS[1]}",)] * 2


def test_versions_named_by_a_word_are_in_use(moto: MotoServer, clients: Clients) -> None:
    """A version that is the default one, or the latest one of which a group launches, has that user."""
    account = lay_out(moto, "shared", live=None)
    default, latest = version(moto, "ami-0beta", FIRST), version(moto, "ami-0gamma", SECOND)
    moto.client("ec2").modify_launch_template(LaunchTemplateName=TEMPLATE, DefaultVersion=str(default))
    moto.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName=account.groups[0],
        LaunchTemplate={"LaunchTemplateName": TEMPLATE, "Version": "$Latest"},
    )
    happened = remove_all(clients)
    assert whys(happened, "kept") == {
        f"template-version {TEMPLATE}:{default}": (
            "is kept: it is the default version of its template, so make another one the default first"
        ),
        f"template-version {TEMPLATE}:{latest}": f"is kept: group {GROUPS[0]} uses it",
    }


def test_versions_are_listed_by_number(moto: MotoServer, clients: Clients) -> None:
    """Version 10 comes after version 9, however AWS lists them."""
    lay_out(moto, live=None)
    made = [version(moto, "ami-0beta", FIRST) for _ in range(10)]
    shown(
        clients.read.ec2,
        "DescribeLaunchTemplateVersions",
        lambda answer: answer["LaunchTemplateVersions"].reverse(),
    )
    found = [item.id for item in inventory(clients, SERVICE, TEMPLATE)]
    assert found == [f"{TEMPLATE}:{number}" for number in sorted(made)]


def test_an_instance_that_one_of_two_lists_shows_is_in_its_group(moto: MotoServer, clients: Clients) -> None:
    """Not yet listed by its group, or of a group whose tag was taken away, it is ours and its group's."""
    first_release(moto)
    each_group(clients, Instances=[])
    shown(
        clients.read.ec2,
        "DescribeInstances",
        lambda answer: [
            each["Tags"].append({"Key": "aws:autoscaling:groupName", "Value": GROUPS[0]})
            for reservation in answer["Reservations"]
            for each in reservation["Instances"]
        ],
    )
    found = [item for item in inventory(clients, SERVICE, TEMPLATE) if item.kind == "instance"]
    assert [item.used_by for item in found] == [(f"group {GROUPS[0]}",)] * 2
    shown(clients.read.autoscaling, "DescribeAutoScalingGroups", lambda a: a.update(AutoScalingGroups=[]))
    found = [item for item in inventory(clients, SERVICE, TEMPLATE) if item.kind == "instance"]
    assert [item.used_by for item in found] == [()] * 2


def test_tagged_instances_of_a_group_that_is_not_ours_are_seen(moto: MotoServer, clients: Clients) -> None:
    """Of a group whose tag was taken away the instances bear it still, and are kept by the group."""
    first_release(moto)
    each_group(clients, Tags=[])
    found = inventory(clients, SERVICE, TEMPLATE)
    assert [item.kind for item in found][:3] == ["instance", "instance", "template-version"]
    assert [item.used_by for item in found[:2]] == [(f"group {GROUPS[0]}",)] * 2


@pytest.mark.parametrize(
    "named",
    [
        {"LaunchTemplate": {"LaunchTemplateSpecification": {}}},
        {"LaunchTemplate": {"Overrides": [{}, {"LaunchTemplateSpecification": {}}]}},
    ],
)
@pytest.mark.parametrize("how", ["number", "default"])
def test_a_version_is_in_use_by_a_mixed_instances_policy(
    moto: MotoServer, clients: Clients, named: dict[str, Any], how: str
) -> None:
    """A policy's own template and those of its overrides count; without a version it is the default one."""
    account = lay_out(moto, "shared", live=None)
    number, _ = version(moto, "ami-0beta", FIRST), version(moto, "ami-0beta", SECOND)
    specification = {"LaunchTemplateId": account.template_id}
    if how == "number":
        specification["Version"] = str(number)
    else:
        ec2 = moto.client("ec2")
        ec2.modify_launch_template(LaunchTemplateName=TEMPLATE, DefaultVersion=str(number))
    template = named["LaunchTemplate"]
    if "Overrides" in template:
        policy = {"Overrides": [{}, {"LaunchTemplateSpecification": specification}]}
    else:
        policy = {"LaunchTemplateSpecification": specification}
    each_group(clients, LaunchTemplate=None, MixedInstancesPolicy={"LaunchTemplate": policy})
    users = {item.id: item.used_by for item in inventory(clients, SERVICE, TEMPLATE)}
    assert users[f"{TEMPLATE}:{number}"][:2] == tuple(f"group {name}" for name in GROUPS)
    assert users[f"{TEMPLATE}:{number + 1}"] == ()


def test_a_version_that_a_group_still_runs_is_in_use(moto: MotoServer, clients: Clients) -> None:
    """A group that was pointed at another version uses the one of its instances too, as it lists them."""
    account = lay_out(moto, "shared", groups_exist=False)
    number = version(moto, "ami-0beta", FIRST)
    group(moto, account, GROUPS[0], number)
    moto.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName=GROUPS[0], LaunchTemplate={"LaunchTemplateName": TEMPLATE, "Version": "1"}
    )
    shown(clients.read.ec2, "DescribeInstances", lambda answer: answer.update(Reservations=[]))
    found = next(item for item in inventory(clients, SERVICE, TEMPLATE) if item.kind == "template-version")
    assert found.used_by == (f"group {GROUPS[0]}",)


def test_a_version_that_somebody_started_from_is_in_use(moto: MotoServer, clients: Clients) -> None:
    """AWS's own tags say from which version an instance was started; one that has ended uses nothing."""
    account = lay_out(moto, "shared", groups_exist=False)
    number = version(moto, "ami-0beta", FIRST)
    ec2 = moto.client("ec2")
    ids = [
        ec2.run_instances(ImageId="ami-0beta", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
        for _ in range(2)
    ]
    ec2.terminate_instances(InstanceIds=ids[1:])
    moto.settle()
    marks = {"id": account.template_id, "version": str(number)}
    shown(
        clients.read.ec2,
        "DescribeInstances",
        lambda answer: [
            each.update(Tags=[{"Key": f"aws:ec2launchtemplate:{k}", "Value": v} for k, v in marks.items()])
            for reservation in answer["Reservations"]
            for each in reservation["Instances"]
        ],
    )
    (found,) = inventory(clients, SERVICE, TEMPLATE)
    assert found.used_by == (f"instance {ids[0]}",)


def test_the_templates_of_groups_are_looked_into_too(moto: MotoServer, clients: Clients) -> None:
    """Ours in another template is seen if a group names that, else when no template is named; and goes."""
    account = lay_out(moto, "shared", live=None)
    ec2 = moto.client("ec2")
    made = ec2.create_launch_template(LaunchTemplateName="other", LaunchTemplateData={"ImageId": "ami-0beta"})
    version(moto, "ami-0beta", FIRST, "other")
    assert inventory(clients, SERVICE, TEMPLATE) == ()
    items = inventory(clients, SERVICE)
    assert [item.id for item in items] == ["other:2"]
    moto.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName=account.groups[0],
        LaunchTemplate={"LaunchTemplateId": made["LaunchTemplate"]["LaunchTemplateId"], "Version": "1"},
    )
    assert inventory(clients, SERVICE, TEMPLATE) == items
    moto.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName=account.groups[0],
        LaunchTemplate={"LaunchTemplateName": TEMPLATE, "Version": "1"},
    )
    assert set(ends(list(remove(clients, items, Instant(), template=TEMPLATE))).values()) == {"gone"}
    left = ec2.describe_launch_template_versions(LaunchTemplateName="other")["LaunchTemplateVersions"]
    assert [each["VersionNumber"] for each in left] == [1]


def test_a_template_that_goes_during_a_look_has_no_versions(moto: MotoServer, clients: Clients) -> None:
    """A template that is deleted after it was listed does not make the look fail."""
    lay_out(moto)
    version(moto, "ami-0beta", FIRST)
    answering(clients, "DescribeLaunchTemplateVersions", "InvalidLaunchTemplateId.NotFound")
    assert inventory(clients, SERVICE, TEMPLATE) == ()


def test_the_age_of_an_image_is_known(moto: MotoServer, clients: Clients) -> None:
    """An image's time is a text, and is read as all other times are."""
    first_release(moto)
    items = {item.kind: item for item in inventory(clients, SERVICE, TEMPLATE)}
    assert items["image"].since is not None
    assert abs(items["image"].since - Instant().now()) < 3600


def test_looking_takes_few_calls_and_changes_nothing(moto: MotoServer, clients: Clients) -> None:
    """Two hundred instances are seen by as many calls as two, and no call is one that changes anything."""
    counted = []
    for size in (2, 200):
        moto.reset()
        account = lay_out(moto, "shared", groups_exist=False)
        group(moto, account, GROUPS[0], version(moto, "ami-0beta", FIRST), size=size)
        moto.calls.clear()
        assert len(inventory(clients, SERVICE, TEMPLATE)) == size + 2
        counted.append(moto.operations())
    assert counted[0] == counted[1]
    assert all(each.startswith("Describe") for each in counted[0])


def test_what_cannot_be_seen_is_not_taken_for_absent(moto: MotoServer, clients: Clients) -> None:
    """When AWS refuses one of the reads, there is an error with its words, and no shorter list."""
    first_release(moto)
    answering(clients, "DescribeSnapshots", "UnauthorizedOperation", "no")
    with pytest.raises(BlueGreenError, match="UnauthorizedOperation: no"):
        inventory(clients, SERVICE, TEMPLATE)


# -------------------------------------------------------------------------------------------------- removing


def test_nothing_is_left_of_a_first_release(moto: MotoServer, clients: Clients) -> None:
    """All goes, each after what used it; the instances leave by their group's hand, drained."""
    first_release(moto)
    moto.calls.clear()
    happened = remove_all(clients)
    assert set(ends(happened).values()) == {"gone"}
    assert everything(moto) == NOTHING
    sent = [name for name in moto.operations() if not name.startswith("Describe")]
    assert sent == [
        "UpdateAutoScalingGroup",
        "DeleteAutoScalingGroup",
        "DeleteLaunchTemplateVersions",
        "DeregisterImage",
        "DeleteSnapshot",
    ]


def test_nothing_is_left_of_standing_groups_that_are_tagged(moto: MotoServer, clients: Clients) -> None:
    """Groups that the user tagged go with all that was made for them; the user's version 1 stays."""
    standing(moto, tagged=True)
    assert set(ends(remove_all(clients)).values()) == {"gone"}
    assert everything(moto) == NOTHING


def test_the_users_groups_stay_with_what_they_name(moto: MotoServer, clients: Clients) -> None:
    """Without the tag nothing changes: each thing is kept with the reason, up to the group that needs it."""
    standing(moto, tagged=False)
    before = everything(moto)
    moto.calls.clear()
    happened = remove_all(clients)
    assert set(ends(happened).values()) == {"kept"}
    assert everything(moto) == before
    assert all(name.startswith("Describe") for name in moto.operations())
    kept = whys(happened, "kept")
    assert kept[f"template-version {TEMPLATE}:2"] == f"is kept: group {GROUPS[0]} uses it"
    images = [why for name, why in kept.items() if name.startswith("image ")]
    assert f"is kept: template-version {TEMPLATE}:2 uses it" in images


def test_protected_instances_leave(moto: MotoServer, clients: Clients) -> None:
    """Scale-in protection is taken away, fifty instances a call, after the size is 0."""
    account = lay_out(moto, "shared", groups_exist=False)
    number = version(moto, "ami-0beta", FIRST)
    group(moto, account, GROUPS[0], number, size=51, NewInstancesProtectedFromScaleIn=True)
    moto.calls.clear()
    assert set(ends(remove_all(clients)).values()) == {"gone"}
    assert everything(moto) == NOTHING
    sent = [name for name in moto.operations() if not name.startswith("Describe")]
    assert sent[:3] == ["UpdateAutoScalingGroup", "SetInstanceProtection", "SetInstanceProtection"]


def test_another_service_is_untouched(moto: MotoServer, clients: Clients) -> None:
    """What bears another service's tag stays, in the same template and of the same image too."""
    account = first_release(moto)
    group(moto, account, "orders", version(moto, "ami-0beta", OTHERS), service="orders", token=OTHERS)
    orders = inventory(clients, "orders", TEMPLATE)
    remove_all(clients)
    assert inventory(clients, "orders", TEMPLATE) == orders
    assert everything(moto)["groups"] == ["orders"]


def test_an_image_that_another_one_needs_stays(moto: MotoServer, clients: Clients) -> None:
    """An instance that somebody started from our image keeps image and snapshot, and nothing else."""
    first_release(moto)
    image = next(item for item in inventory(clients, SERVICE, TEMPLATE) if item.kind == "image")
    started = moto.client("ec2").run_instances(ImageId=image.id, MinCount=1, MaxCount=1)["Instances"][0]
    happened = remove_all(clients)
    assert whys(happened, "kept")[image.name] == f"is kept: instance {started['InstanceId']} uses it"
    left = everything(moto)
    assert (left["groups"], left["versions"], len(left["instances"])) == ([], ["1"], 1)
    assert (left["images"], len(left["snapshots"])) == ([image.id], 1)


def test_one_that_cannot_go_does_not_hold_up_the_others(moto: MotoServer, clients: Clients) -> None:
    """What AWS does not allow is told in its words; all that does not depend on it goes."""
    first_release(moto)
    stray = built(moto, token="b7")
    answering(clients, "DeregisterImage", "UnauthorizedOperation", "You may not")
    happened = remove_all(clients)
    assert list(whys(happened, "failed").values()) == [
        "cannot be removed: UnauthorizedOperation: You may not"
    ]
    assert [name.split()[0] for name in whys(happened, "kept")] == ["snapshot"]
    assert ends(happened)[f"instance {stray}"] == "gone"
    left = everything(moto)
    assert (left["groups"], left["instances"], left["versions"]) == ([], [], ["1"])


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("DeleteAutoScalingGroup", "ResourceInUse"),
        ("DeleteAutoScalingGroup", "ScalingActivityInProgress"),
        ("UpdateAutoScalingGroup", "Throttling"),
        ("DeleteSnapshot", "InvalidSnapshot.InUse"),
        ("DeleteSnapshot", "InvalidSnapshot.NotFound"),
        ("DeregisterImage", "ResourceInUse"),
        ("DeleteLaunchTemplateVersions", "RequestLimitExceeded"),
        ("DescribeAutoScalingGroups", "RequestLimitExceeded"),
    ],
)
def test_what_is_refused_for_a_moment_is_asked_again(
    moto: MotoServer, clients: Clients, operation: str, code: str
) -> None:
    """Busy, in use for a moment, throttled: a look later it is asked again, and goes."""
    first_release(moto)
    items = inventory(clients, SERVICE, TEMPLATE)
    answering(clients, operation, code, times=4)
    happened = list(remove(clients, items, Instant(), template=TEMPLATE))
    assert set(ends(happened).values()) == {"gone"}
    assert everything(moto) == NOTHING


def test_a_volume_in_use_for_a_moment_is_asked_again(moto: MotoServer, clients: Clients) -> None:
    """After its instance has ended a volume may be attached for a moment longer."""
    lay_out(moto)
    marks = [{"ResourceType": "volume", "Tags": tag_list(service=SERVICE, build="b1")}]
    moto.client("ec2").create_volume(AvailabilityZone="us-east-1a", Size=1, TagSpecifications=marks)
    answering(clients, "DeleteVolume", "VolumeInUse", times=2)
    happened = remove_all(clients)
    assert [each.what for each in happened] == ["again", "again", "asked", "gone"]


def test_an_instance_that_is_protected_from_its_end_stays(moto: MotoServer, clients: Clients) -> None:
    """What somebody protected from termination is told at once, not asked again until the deadline."""
    lay_out(moto)
    stray = built(moto, token="b7")
    answering(clients, "TerminateInstances", "OperationNotPermitted", "protected")
    happened = remove_all(clients)
    assert whys(happened, "failed") == {
        f"instance {stray}": "cannot be removed: OperationNotPermitted: protected"
    }
    assert [each.what for each in happened].count("again") == 0


def test_an_instance_that_ends_is_not_told_again(moto: MotoServer, clients: Clients) -> None:
    """An instance is told to end once, however long it takes to."""
    lay_out(moto)
    built(moto, token="b7")
    moto.script.looks.ending = 9
    moto.calls.clear()
    happened = remove_all(clients)
    assert changes(moto).count("TerminateInstances") == 1
    assert "waits" in [each.what for each in happened]
    assert set(ends(happened).values()) == {"gone"}


@pytest.mark.parametrize(
    ("life", "asked"),
    [("InService", True), ("Standby", True), ("EnteringStandby", True), ("Terminating", False)],
)
def test_protection_is_taken_from_who_has_not_left(
    moto: MotoServer,
    clients: Clients,
    life: str,
    asked: bool,  # noqa: FBT001
) -> None:
    """AWS takes a protection away from who is in service or in standby; who leaves is past it."""
    first_release(moto)
    shown(
        clients.read.autoscaling,
        "DescribeAutoScalingGroups",
        lambda answer: [
            each.update(LifecycleState=life, ProtectedFromScaleIn=True)
            for found in answer["AutoScalingGroups"]
            for each in found["Instances"]
        ],
    )
    moto.script.looks.draining = moto.script.looks.terminating = 10**6
    moto.calls.clear()
    remove_all(clients, deadline_seconds=10)
    assert ("SetInstanceProtection" in changes(moto)) is asked


def test_who_left_since_the_look_is_no_obstacle(moto: MotoServer, clients: Clients) -> None:
    """An instance that left meanwhile makes the call for all fail, by its words alone: asked again."""
    account = lay_out(moto, "shared", groups_exist=False)
    number = version(moto, "ami-0beta", FIRST)
    group(moto, account, GROUPS[0], number, NewInstancesProtectedFromScaleIn=True)
    words = "The instance i-1 is not part of Auto Scaling group"
    answering(clients, "SetInstanceProtection", "ValidationError", words, times=1)
    assert set(ends(remove_all(clients)).values()) == {"gone"}


def test_a_group_that_is_being_deleted_is_waited_for(moto: MotoServer, clients: Clients) -> None:
    """A group that somebody deletes is not deleted a second time."""
    first_release(moto)
    each_group(clients, Status="Delete in progress")
    moto.calls.clear()
    happened = remove_all(clients, deadline_seconds=10)
    assert changes(moto) == []
    assert "is being deleted (Delete in progress)" in [each.detail for each in happened]


def test_a_group_of_size_zero_loses_its_bounds_first(moto: MotoServer, clients: Clients) -> None:
    """An empty group that could grow is kept from it before it is deleted."""
    account = lay_out(moto, "shared", groups_exist=False)
    group(moto, account, GROUPS[0], version(moto, "ami-0beta", FIRST), size=0)
    moto.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName=GROUPS[0], MaxSize=4)
    moto.calls.clear()
    assert set(ends(remove_all(clients)).values()) == {"gone"}
    assert changes(moto)[:2] == ["UpdateAutoScalingGroup", "DeleteAutoScalingGroup"]


@pytest.mark.parametrize(
    ("code", "failed"), [("launchTemplateVersionDoesNotExist", False), ("unexpectedError", True)]
)
def test_each_version_is_told_of_by_itself(
    moto: MotoServer,
    clients: Clients,
    code: str,
    failed: bool,  # noqa: FBT001
) -> None:
    """Of versions in one request one may stay, in AWS's words; one that is gone already is no failure."""
    lay_out(moto)
    first, second = version(moto, "ami-0beta", FIRST), version(moto, "ami-0beta", SECOND)
    said = {"VersionNumber": first, "ResponseError": {"Code": code, "Message": "words"}}
    shows = chain([False, False, True], repeat(failed))  # a look that lags behind shows it once more
    (stays,) = moto.client("ec2").describe_launch_template_versions(
        LaunchTemplateName=TEMPLATE, Versions=[str(first)]
    )["LaunchTemplateVersions"]
    shown(
        clients.write.ec2,
        "DeleteLaunchTemplateVersions",
        lambda answer: answer.update(UnsuccessfullyDeletedLaunchTemplateVersions=[said]),
    )
    shown(
        clients.read.ec2,
        "DescribeLaunchTemplateVersions",
        lambda answer: answer["LaunchTemplateVersions"].extend([stays] if next(shows) else []),
    )
    happened = remove_all(clients)
    asked = [each.item.id for each in happened if each.what == "asked"]
    assert asked == [f"{TEMPLATE}:{second}"]
    name = f"template-version {TEMPLATE}:{first}"
    assert ends(happened)[name] == ("failed" if failed else "gone")
    assert whys(happened, "failed") == ({name: f"cannot be removed: {code}: words"} if failed else {})


def test_things_of_two_services_go_in_one_removal(moto: MotoServer, clients: Clients) -> None:
    """What is to be removed may be of several services; each is looked for."""
    account = first_release(moto)
    group(moto, account, "orders", version(moto, "ami-0beta", OTHERS), service="orders", token=OTHERS)
    happened = list(remove(clients, inventory(clients), Instant(), template=TEMPLATE))
    assert set(ends(happened).values()) == {"gone"}
    assert everything(moto) == NOTHING


def test_answers_that_are_lost_are_made_good(moto: MotoServer, clients: Clients) -> None:
    """Every request is carried out and its answer lost: none is sent twice, and nothing is left."""
    first_release(moto)

    def lose(_: str) -> None:
        raise ConnectionClosedError(endpoint_url=moto.url)

    on_write(clients, "after", lose)
    moto.calls.clear()
    assert set(ends(remove_all(clients)).values()) == {"gone"}
    assert everything(moto) == NOTHING
    sent = [name for name in moto.operations() if not name.startswith("Describe")]
    assert len(sent) == len(set(sent)) == 5


@pytest.mark.parametrize("process", ["Terminate", "AlarmNotification"])
def test_what_a_person_put_in_the_way_is_left_to_a_person(
    moto: MotoServer, clients: Clients, process: str
) -> None:
    """A group that may not terminate is refused whole, before its size is touched; others are no obstacle."""
    first_release(moto)
    moto.client("autoscaling").suspend_processes(AutoScalingGroupName=GROUPS[0], ScalingProcesses=[process])
    happened = remove_all(clients)
    if process == "Terminate":
        assert "resume that first" in whys(happened, "failed")[f"group {GROUPS[0]}"]
        assert len(everything(moto)["instances"]) == 2
    else:
        assert everything(moto) == NOTHING


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        ({"DeletionProtection": "prevent-all-deletion"}, "take its DeletionProtection away first"),
        ({"WarmPoolConfiguration": {"MinSize": 1}}, "delete that first"),
    ],
)
def test_a_group_that_could_not_be_deleted_is_not_emptied(
    moto: MotoServer, clients: Clients, shown: dict[str, Any], words: str
) -> None:
    """Protection from deletion and a warm pool are seen first, so that the group serves on whole."""
    first_release(moto)

    def show(parsed: Any, **_: Any) -> None:
        for each in parsed["AutoScalingGroups"]:
            each.update(shown)

    clients.read.autoscaling.meta.events.register("after-call.auto-scaling.DescribeAutoScalingGroups", show)
    assert words in whys(remove_all(clients), "failed")[f"group {GROUPS[0]}"]
    assert len(everything(moto)["instances"]) == 2


def test_volumes_that_a_build_left_go(moto: MotoServer, clients: Clients) -> None:
    """A volume with our tag goes once no instance has it; one without the tag stays."""
    first_release(moto)
    ec2 = moto.client("ec2")
    marks = [{"ResourceType": "volume", "Tags": tag_list(service=SERVICE, build="b1")}]
    ours, theirs = (
        ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, TagSpecifications=specifications)["VolumeId"]
        for specifications in (marks, [])
    )
    assert ends(remove_all(clients))[f"volume {ours}"] == "gone"
    left = [volume["VolumeId"] for volume in ec2.describe_volumes()["Volumes"]]
    assert theirs in left
    assert ours not in left


def test_the_deadline_ends_the_wait(moto: MotoServer, clients: Clients) -> None:
    """Instances that do not leave are told with their states; a second run ends it."""
    first_release(moto)
    moto.script.looks.draining = moto.script.looks.terminating = 10**6
    happened = remove_all(clients, deadline_seconds=60)
    assert "is still there after 60 s" in whys(happened, "left")[f"group {GROUPS[0]}"]
    assert len(everything(moto)["instances"]) == 2
    moto.script.looks.draining = moto.script.looks.terminating = 1
    remove_all(clients)
    assert everything(moto) == NOTHING


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.crash
@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("k", range(7))
def test_killed_between_two_requests_it_goes_on(moto: MotoServer, k: int, moment: str) -> None:
    """Killed just before or just after any of its requests, the next run leaves nothing."""
    account = lay_out(moto, "shared", groups_exist=False)
    number = version(moto, built(moto, image="exercise 1"), FIRST)
    group(moto, account, GROUPS[0], number, NewInstancesProtectedFromScaleIn=True)
    built(moto, token="b7")
    moto.script.looks.draining = moto.script.looks.terminating = moto.script.looks.ending = 0
    count: list[str] = []

    def kill(operation: str) -> None:
        count.append(operation)
        if len(count) == k + 1:
            raise Killed

    first = clients_of(moto)
    on_write(first, moment, kill)
    with pytest.raises(Killed):
        remove_all(first)
    first.close()
    second = clients_of(moto)
    on_write(second, moment, count.append)
    remove_all(second)
    second.close()
    assert everything(moto) == NOTHING
    # Asked for a second time is only what the first run had no answer to.
    assert len(count) == 7 + (moment == "before")


# ------------------------------------------------------------------------------------------------- leftovers


def thing(**more: Any) -> Owned:
    """Something of a service, an hour old at second 3600."""
    return Owned(**({"id": "x", "service": SERVICE, "since": 0.0} | more))


@pytest.mark.parametrize(
    ("item", "left"),
    [
        (thing(kind="group"), False),
        (thing(kind="instance", made_by="build b"), True),
        (thing(kind="instance", made_by="build b", used_by=("group mine",)), False),
        (thing(kind="instance", made_by=f"deployment {FIRST}"), False),
        (thing(kind="volume", made_by="build b"), True),
        (thing(kind="volume"), False),
        (thing(kind="volume", made_by="build b", used_by=("instance i",)), False),
        (thing(kind="template-version", made_by=f"deployment {FIRST}"), True),
        (thing(kind="template-version", made_by=f"deployment {FIRST}", used_by=("group mine",)), False),
        (thing(kind="image", made_by="build b", state="available"), False),
        (thing(kind="image", made_by="build b", state="pending"), False),
        (thing(kind="image", made_by="build b", state="failed"), True),
        (thing(kind="image", made_by="build b", state="error"), True),
        (thing(kind="image", made_by="build b", state="invalid"), True),
        (thing(kind="image", made_by="build b", state="failed", used_by=("instance i",)), False),
        (thing(kind="snapshot"), False),
        (thing(kind="snapshot", made_by="build b", since=None), False),
        (thing(kind="snapshot", made_by="build b"), True),
        (thing(kind="snapshot", made_by="build b", used_by=("image i",)), False),
    ],
)
def test_left_over_is_what_nobody_needs(item: Owned, left: bool) -> None:  # noqa: FBT001
    """By its age never a group, an instance of one, a good image, or anything with a user."""
    assert bool(list(leftovers([item], now=3600, older_than_hours=1))) is left
    assert not list(leftovers([item], now=3599, older_than_hours=1))


def test_the_journal_knows_better_than_the_age() -> None:
    """A version of a deployment that ended goes at once; of one that did not, never."""
    item = thing(kind="template-version", made_by=f"deployment {FIRST}")
    assert list(leftovers([item], now=1, older_than_hours=6, ended={FIRST}))
    assert not list(leftovers([item], now=1, older_than_hours=6, ended={SECOND}))
    assert not list(leftovers([item], now=10**6, older_than_hours=6, unfinished={FIRST}))


def test_a_group_is_left_over_when_nobody_can_want_it() -> None:
    """Of a deployment that made no live group, led to by no rule, and with every maker known; else never."""
    green = thing(kind="group", made_by=f"deployment {SECOND}")
    version = thing(kind="template-version", id="t:2", made_by=f"deployment {SECOND}", used_by=(green.name,))
    known = {"now": 1, "older_than_hours": 6, "ended": {FIRST, SECOND}}
    found = [one.item for one in leftovers([version, green], **known, abandoned={SECOND})]  # type: ignore[arg-type]
    assert found == [green, version], "and the version that it alone names goes with it"
    led = thing(kind="group", made_by=f"deployment {SECOND}", led_to_by=("rule",))
    others = thing(kind="group", id="y", made_by=f"deployment {OTHERS}")
    users = thing(kind="group", id="z")
    assert not list(leftovers([led], **known, abandoned={SECOND}))  # type: ignore[arg-type]
    assert not list(leftovers([green], **known))  # type: ignore[arg-type]
    assert not list(leftovers([green, others], **known, abandoned={SECOND}))  # type: ignore[arg-type]
    assert list(leftovers([green, users], **known, abandoned={SECOND}))  # type: ignore[arg-type]


def test_a_group_that_a_rule_leads_to_by_now_stays(moto: MotoServer, clients: Clients) -> None:
    """Shown without users, it has some when it is to be removed: kept, and not made smaller."""
    account = lay_out(moto, "weighted", groups_exist=False)
    group(moto, account, GROUPS[0], version(moto, "ami-0beta", FIRST))
    elbv2 = moto.client("elbv2")

    def lead(weight: int) -> None:
        arns, weights = account.target_group_arns, (weight, 100 - weight)
        shares = [{"TargetGroupArn": arn, "Weight": part} for arn, part in zip(arns, weights, strict=True)]
        action = {"Type": "forward", "ForwardConfig": {"TargetGroups": shares}}
        elbv2.modify_listener(ListenerArn=account.listener_arn, DefaultActions=[action])

    lead(0)
    items = inventory(clients, SERVICE, TEMPLATE)
    assert [item.led_to_by for item in items if item.kind == "group"] == [()]
    lead(1)
    happened = list(remove(clients, items, Instant(), template=TEMPLATE))
    assert whys(happened, "failed")[f"group {GROUPS[0]}"] == (
        f"is kept: rule {account.rule_arn} leads to it by now"
    )
    assert len(everything(moto)["instances"]) == 2
    assert [item.led_to_by for item in inventory(clients, SERVICE, TEMPLATE) if item.kind == "group"] == [
        (account.rule_arn,)
    ]


def test_what_came_into_use_since_it_was_shown_stays(moto: MotoServer, clients: Clients) -> None:
    """A version that a group names by now is kept, though it was not in use when it was listed."""
    account = lay_out(moto, "shared", live=None)
    number = version(moto, "ami-0beta", FIRST)
    items = inventory(clients, SERVICE, TEMPLATE)
    moto.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName=account.groups[1],
        LaunchTemplate={"LaunchTemplateName": TEMPLATE, "Version": str(number)},
    )
    happened = list(remove(clients, items, Instant(), template=TEMPLATE))
    assert list(whys(happened, "kept").values()) == [f"is kept: group {GROUPS[1]} uses it"]
    assert everything(moto)["versions"] == ["1", "2"]
