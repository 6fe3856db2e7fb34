"""Image builds on EC2: one instance, each command once, one image, whatever happens on the way."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from bluegreen import ImageBuild
from bluegreen.aws import AwsBuilder
from bluegreen.aws.names import BUILD_TAG, SERVICE_TAG, tags
from bluegreen.aws.remote import OUTPUT_BYTES, SystemsManager, ended
from bluegreen.aws.remote import once as wrapped
from bluegreen.core.observation import ErrorClass, Result
from bluegreen.image import ImageResult
from bluegreen.ports import BuildOutcome, CommandRun, CreateImage, RunCommand, StartInstance, StopInstance
from tests.contract.providers import Hands
from tests.moto_account import TEMPLATE, lay_out
from tests.moto_server import MotoServer
from tests.proxy import Proxy, Truncate

pytestmark = pytest.mark.contract

COMMANDS = ("git pull", "git checkout v2")
BUILD = ImageBuild(service="exercise", launch_template=TEMPLATE, commands=COMMANDS, revision="v2")
MUTATING = 1 + len(COMMANDS) + 1 + 1 + 1  # start, the commands, stop, create, terminate
SHOWN = 2_500
"""Characters of an output that ListCommandInvocations shows (API reference, CommandPlugin)."""


class Killed(BaseException):
    """The process is gone."""


@contextmanager
def builder_on(url: str, moto: MotoServer, **options: Any) -> Iterator[AwsBuilder]:
    """A builder whose sleep is instant."""
    builder = AwsBuilder(moto.session(), endpoint_url=url, clock=Hands(), **options)
    try:
        yield builder
    finally:
        builder.close()


def run(moto: MotoServer, build: ImageBuild = BUILD, **options: Any) -> ImageResult:
    """A run of a build by a process of its own."""
    with builder_on(moto.url, moto, **options) as builder:
        return build.run(builder)


def instances(moto: MotoServer) -> list[dict[str, Any]]:
    """Every instance that a build ever started, the ended ones too."""
    answer = moto.client("ec2").describe_instances(Filters=[{"Name": "tag-key", "Values": [BUILD_TAG]}])
    return [each for reservation in answer["Reservations"] for each in reservation["Instances"]]


def images(moto: MotoServer, build: ImageBuild = BUILD) -> list[dict[str, Any]]:
    """Every image of the build's name."""
    answer = moto.client("ec2").describe_images(Filters=[{"Name": "name", "Values": [build.name]}])
    found: list[dict[str, Any]] = answer["Images"]
    return found


def texts(moto: MotoServer) -> list[str]:
    """The commands that were sent, in order, without what is wrapped around them."""
    return [text.split("\n(\n")[1].split("\n) >")[0] for _, text in moto.script.commands]


def assert_one_of_each(moto: MotoServer, result: ImageResult, build: ImageBuild = BUILD) -> None:
    """One image, one instance that has ended, each command once."""
    assert result.ok, result.reason
    assert result.leftovers == ()
    assert [image["ImageId"] for image in images(moto, build)] == [result.image]
    assert [each["State"]["Name"] for each in instances(moto)] == ["terminated"]
    assert texts(moto) == list(build.commands)


# ---------------------------------------------------------------------------------------- the way it goes


def test_a_build_makes_an_image_and_leaves_nothing_else(moto: MotoServer) -> None:
    """Instance, image and snapshot bear service and token, the name is the build's, the commands ran once."""
    lay_out(moto)
    result = run(moto)
    assert_one_of_each(moto, result)
    (image,) = images(moto)
    assert image["Name"] == BUILD.name
    marks = {SERVICE_TAG: "exercise", BUILD_TAG: BUILD.token}
    assert tags(image["Tags"]) == marks
    snapshot = image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    (shown,) = moto.client("ec2").describe_snapshots(SnapshotIds=[snapshot])["Snapshots"]
    assert tags(shown["Tags"]) == marks
    (instance,) = instances(moto)
    assert marks.items() <= tags(instance["Tags"]).items()
    assert [each for each, _ in moto.script.commands] == [instance["InstanceId"]] * len(COMMANDS)


def test_a_build_that_is_done_starts_nothing(moto: MotoServer) -> None:
    """The same build again finds its image, and changes nothing."""
    lay_out(moto)
    image = run(moto).image
    moto.calls.clear()
    again = run(moto)
    assert (again.image, again.ok) == (image, True)
    assert all(name.startswith(("Describe", "List")) for name in moto.operations())


def test_the_instance_is_started_from_the_version_that_is_named(moto: MotoServer) -> None:
    """A build names a version of the template and a subnet, or takes the default version."""
    account = lay_out(moto)
    moto.client("ec2").create_launch_template_version(
        LaunchTemplateName=TEMPLATE, SourceVersion="1", LaunchTemplateData={"InstanceType": "m5.large"}
    )
    assert run(moto, evolve(BUILD, name="exercise-first")).ok
    second = evolve(BUILD, version=2, name="exercise-second")
    assert run(moto, second, subnet=account.subnets[1]).ok
    assert [each["InstanceType"] for each in instances(moto)] == ["t3.micro", "m5.large"]
    assert instances(moto)[1]["SubnetId"] == account.subnets[1]


def test_the_agent_may_take_its_time(moto: MotoServer) -> None:
    """A command is sent when the agent is online, and not before."""
    lay_out(moto)
    moto.script.looks.agent = 9
    assert_one_of_each(moto, run(moto))


def test_an_agent_that_systems_manager_refuses_to_name_is_not_ready(moto: MotoServer) -> None:
    """Where Systems Manager answers for an unknown instance with an error, the build waits as well."""
    lay_out(moto)
    left = 6

    def unknown(**_: Any) -> tuple[Any, dict[str, Any]] | None:
        nonlocal left
        left -= 1
        if left < 0:
            return None
        error = {"Error": {"Code": "InvalidInstanceId", "Message": ""}, "ResponseMetadata": {}}
        return Answer(), error

    with builder_on(moto.url, moto) as builder:
        for name in ("ListCommandInvocations", "DescribeInstanceInformation"):
            builder.clients.read.ssm.meta.events.register(f"before-call.ssm.{name}", unknown)
        result = BUILD.run(builder)
    assert left < 0
    assert_one_of_each(moto, result)
    assert all("InvalidInstanceId" not in step.reason for step in result.steps), "waited for, not blind"


class Answer:
    """An HTTP answer, as far as botocore looks at one that it did not get itself."""

    status_code = 400


def test_an_image_may_take_longer_than_botocores_waiter(moto: MotoServer) -> None:
    """An image that is pending for more than 600 s is waited for until the build's own deadline."""
    lay_out(moto)
    moto.script.looks.image = 25
    with builder_on(moto.url, moto) as builder:
        began = builder.clock.now()
        result = evolve(BUILD, poll_seconds=30).run(builder)
        assert builder.clock.now() - began > 600
    assert_one_of_each(moto, result)


# -------------------------------------------------------------------------------------------- what fails


def test_a_failed_command_says_why_by_the_end_of_its_output(moto: MotoServer, tmp_path: Path) -> None:
    """Exit code and end of the output are in the reason, however long it was; no later command is sent."""
    lay_out(moto)
    moto.script.run_command = shell(tmp_path)
    text = "i=0; while [ $i -lt 500 ]; do echo line after line; i=$((i + 1)); done; echo the very end; exit 3"
    build = evolve(BUILD, commands=("true", text, "never sent"))
    result = run(moto, build)
    assert not result.ok
    assert result.leftovers == ()
    assert "command 2 of 3 ended with exit code 3" in result.reason
    assert "line after line\\nthe very end\\n" in result.reason
    assert texts(moto) == ["true", text]
    assert images(moto, build) == []
    assert [each["State"]["Name"] for each in instances(moto)] == ["terminated"]


def test_a_command_that_never_ends_meets_its_deadline(moto: MotoServer) -> None:
    """After its time the build gives up, says which command it was, and ends the instance."""
    lay_out(moto)
    moto.script.run_command = lambda _: (None, "")
    with builder_on(moto.url, moto) as builder:
        began = builder.clock.now()
        result = evolve(BUILD, command_seconds=900, poll_seconds=30).run(builder)
        assert 900 <= builder.clock.now() - began < 1_200
    assert not result.ok
    assert "command 1 of 2 runs on" in result.reason
    assert "deadline of 900 s passed" in result.reason
    assert [each["State"]["Name"] for each in instances(moto)] == ["terminated"]


def test_systems_manager_stops_a_command_at_the_builds_deadline(moto: MotoServer) -> None:
    """A command is sent with the time that it may take, for an agent that nobody watches any more."""
    lay_out(moto)
    run(moto, evolve(BUILD, command_seconds=900))
    sent = moto.client("ssm").list_commands()["Commands"]
    assert [command["Parameters"]["executionTimeout"] for command in sent] == [["900"]] * len(COMMANDS)


@pytest.mark.parametrize("status", ["Cancelled", "TimedOut", "Failed", "SomethingNew"])
def test_what_did_not_end_by_itself_did_not_end_well(status: str, moto: MotoServer) -> None:
    """A command that was cancelled, timed out or was never delivered fails the build, with that word."""
    lay_out(moto)

    def changed(parsed: dict[str, Any], **_: Any) -> None:
        for invocation in parsed["CommandInvocations"]:
            words = {"Status": status, "StatusDetails": f"{status}, in detail"}
            invocation.update(words, CommandPlugins=[{"Output": "half", "ResponseCode": 0}])

    with builder_on(moto.url, moto) as builder:
        builder.clients.read.ssm.meta.events.register("after-call.ssm.ListCommandInvocations", changed)
        result = BUILD.run(builder)
    assert not result.ok
    assert f"exit code -1: git pull; its output ends: half\\n{status}, in detail" in result.reason
    assert texts(moto) == [COMMANDS[0]]


def test_an_image_that_fails_is_told_and_kept_for_a_person(moto: MotoServer) -> None:
    """A failed image ends the build, is named as left over, and stands in the way of the next run."""
    lay_out(moto)
    moto.script.failing_images.add(BUILD.name)
    for _ in range(2):
        result = run(moto)
        (image,) = images(moto)
        assert not result.ok
        assert result.leftovers == (f"image {image['ImageId']} ({BUILD.name}): not available",)
        assert [each["State"]["Name"] for each in instances(moto)] == ["terminated"]


def test_a_missing_template_is_told_at_once(moto: MotoServer) -> None:
    """What the instance should be started from does not appear by waiting."""
    lay_out(moto)
    result = run(moto, evolve(BUILD, launch_template="nobody"))
    assert not result.ok
    assert "nobody" in result.reason
    assert "deadline" not in result.reason


# ------------------------------------------------------------------------------------------ killed, and again


def kill(builder: AwsBuilder, number: int, when: str) -> None:
    """Let the process end with its n-th request that changes something: before it is sent, or answered."""
    left = number

    def count(**_: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed

    for client in (builder.clients.write.ec2, builder.clients.write.ssm):
        client.meta.events.register({"before": "before-call", "after": "after-call"}[when], count)


@pytest.mark.crash
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(1, MUTATING + 1))
def test_a_build_that_was_killed_goes_on(number: int, when: str, moto: MotoServer) -> None:
    """Killed around any request and run again: one instance, each command once, one image, nothing left."""
    lay_out(moto)
    with builder_on(moto.url, moto) as builder:
        kill(builder, number, when)
        with pytest.raises(Killed):
            BUILD.run(builder)
    assert_one_of_each(moto, run(moto))


def test_every_request_was_killed(moto: MotoServer) -> None:
    """The test above kills around each request that there is, and around none that there is not."""
    lay_out(moto)
    run(moto)
    sent = [name for name in moto.operations() if not name.startswith(("Describe", "List"))]
    assert sent == [
        "RunInstances",
        *["SendCommand"] * len(COMMANDS),
        "StopInstances",
        "CreateImage",
        "TerminateInstances",
    ]
    assert len(sent) == MUTATING


@pytest.mark.crash
@pytest.mark.parametrize("number", range(1, MUTATING + 1))
def test_killed_and_killed_again(number: int, moto: MotoServer) -> None:
    """A second kill, in the run that goes on, changes nothing either."""
    lay_out(moto)
    for _ in range(2):
        with builder_on(moto.url, moto) as builder:
            kill(builder, number, "after")
            try:
                BUILD.run(builder)
            except Killed:
                continue
    assert_one_of_each(moto, run(moto))


def forget_instances(moto: MotoServer) -> None:
    """Let the ended instances be seen no more, as EC2 does after about an hour."""
    backend = moto.backend("ec2")
    for name, reservation in list(backend.reservations.items()):
        if all(instance.state == "terminated" for instance in reservation.instances):
            del backend.reservations[name]


def test_a_build_whose_instance_ended_long_ago_is_run_again(moto: MotoServer) -> None:
    """EC2 refuses the client token of an instance that has ended: the next token starts one, once."""
    lay_out(moto)
    moto.script.run_command = lambda _: (1, "out of luck")
    assert not run(moto).ok
    forget_instances(moto)
    assert not run(moto).ok
    forget_instances(moto)
    moto.script.run_command = lambda _: (0, "")
    moto.script.commands.clear()
    moto.calls.clear()
    with builder_on(moto.url, moto) as builder:
        kill(builder, 3, "after")  # two tokens are refused, the third is answered
        with pytest.raises(Killed):
            BUILD.run(builder)
    assert_one_of_each(moto, run(moto))
    assert moto.operations().count("RunInstances") == 3


def test_a_build_that_failed_within_the_hour_is_run_again(moto: MotoServer) -> None:
    """While the ended instance can still be seen, the next run starts one of its own."""
    lay_out(moto)
    moto.script.run_command = lambda _: (1, "out of luck")
    assert not run(moto).ok
    moto.script.run_command = lambda _: (0, "")
    assert run(moto).ok
    assert [each["State"]["Name"] for each in instances(moto)] == ["terminated"] * 2


# ---------------------------------------------------------------------------------------- the image's name


def stopped(moto: MotoServer, builder: AwsBuilder) -> CreateImage:
    """A build instance that is stopped, and the command that makes its image."""
    start = StartInstance(
        service="exercise",
        name=BUILD.name,
        launch_template=TEMPLATE,
        version=None,
        token=BUILD.token,
        request=BUILD.token,
    )
    assert builder.apply(start).result is Result.APPLIED
    moto.settle()
    (instance,) = instances(moto)
    return CreateImage(
        service="exercise", instance=instance["InstanceId"], name=BUILD.name, token=BUILD.token
    )


def hide_images(builder: AwsBuilder) -> None:
    """Let a new image not be seen yet."""

    def hide(parsed: dict[str, Any], **_: Any) -> None:
        parsed["Images"] = []

    builder.clients.read.ec2.meta.events.register("after-call.ec2.DescribeImages", hide)


def test_our_own_image_is_adopted(moto: MotoServer) -> None:
    """An image whose answer was lost is asked for again, and found to be the one that is meant."""
    lay_out(moto)
    with builder_on(moto.url, moto) as builder:
        command = stopped(moto, builder)
        for _ in range(2):
            assert builder.apply(command) == BuildOutcome(result=Result.APPLIED)
    assert len(images(moto)) == 1


def test_a_name_that_is_taken_by_nobody_seen_is_not_judged(moto: MotoServer) -> None:
    """While the image of a taken name cannot be seen it may be ours: looked at again, not given up."""
    lay_out(moto)
    with builder_on(moto.url, moto) as builder:
        command = stopped(moto, builder)
        assert builder.apply(command).result is Result.APPLIED
        hide_images(builder)
        outcome = builder.apply(command)
    assert (outcome.result, outcome.error) == (Result.UNKNOWN, ErrorClass.LOST)
    assert "already in use" in outcome.detail


def test_a_foreign_image_is_refused(moto: MotoServer) -> None:
    """An image of that name that the build did not make ends it, before anything is started."""
    account = lay_out(moto)
    ec2 = moto.client("ec2")
    other = ec2.run_instances(ImageId=account.images[0], MinCount=1, MaxCount=1)["Instances"][0]
    foreign = ec2.create_image(InstanceId=other["InstanceId"], Name=BUILD.name)["ImageId"]
    result = run(moto)
    assert not result.ok
    assert result.reason == f"the name is taken by image {foreign}, which this build did not make"
    assert instances(moto) == []
    with builder_on(moto.url, moto) as builder:
        outcome = builder.apply(stopped(moto, builder))
    assert (outcome.result, outcome.error) == (Result.REFUSED, ErrorClass.CONFLICT)


# -------------------------------------------------------------------------------------------- half answers


def test_half_an_answer_is_not_an_empty_one(moto: MotoServer) -> None:
    """A list of commands that was cut off is unread: nothing is sent, nothing begins anew."""
    lay_out(moto)
    with Proxy(moto.url) as proxy, builder_on(proxy.url, moto) as builder:
        for step in BUILD.steps(builder):
            if isinstance(step.command, RunCommand):
                break
        proxy.plan = lambda call: Truncate() if call.operation == "ListCommandInvocations" else None
        look = builder.look(BUILD.token, BUILD.name)
        assert isinstance(step.command, RunCommand)
        outcome = builder.apply(step.command)
        proxy.plan = lambda _: None
    assert look.unread == ("an answer without 'CommandInvocations'",)
    assert (outcome.result, outcome.error) == (Result.UNKNOWN, ErrorClass.LOST)
    assert texts(moto) == [COMMANDS[0]]
    assert_one_of_each(moto, run(moto))


def test_a_list_that_lags_behind_shows_no_command_out_of_turn(moto: MotoServer) -> None:
    """The second command is not taken for the first while the first is not shown."""
    lay_out(moto)
    with builder_on(moto.url, moto) as builder:
        steps = BUILD.steps(builder)
        while not (isinstance(command := next(steps).command, RunCommand) and command.index == 1):
            pass

        def lag(parsed: dict[str, Any], **_: Any) -> None:
            shown = [each for each in parsed["CommandInvocations"] if not each["Comment"].endswith(":0")]
            parsed["CommandInvocations"] = shown

        builder.clients.read.ssm.meta.events.register("after-call.ssm.ListCommandInvocations", lag)
        assert builder.look(BUILD.token, BUILD.name).runs == ()


# ------------------------------------------------------------------------------------------ what is shown


def showing(client: Any, operation: str, **members: Any) -> None:
    """Let a client show an operation's answers with other members."""

    def change(parsed: dict[str, Any], **_: Any) -> None:
        parsed.update(members)

    service = client.meta.service_model.service_id.hyphenize()
    client.meta.events.register(f"after-call.{service}.{operation}", change)


@pytest.mark.parametrize(
    ("found", "seen"),
    [
        ([], None),
        ([("running", 0), ("terminated", 5)], 0),
        ([("stopped", 0), ("shutting-down", 5)], 0),
        ([("shutting-down", 0), ("terminated", 5)], 0),
        ([("terminated", 5), ("terminated", 0)], 0),
        ([("terminated", 0), ("terminated", 5)], 1),
        ([("pending", 5), ("stopping", 0)], 0),
    ],
)
def test_the_instance_of_a_build_is_the_one_that_lives(
    found: list[tuple[str, int]], seen: int | None, moto: MotoServer
) -> None:
    """Of several that bear the token one that has not ended counts, then one that ends, then the latest."""
    shown = [
        {"InstanceId": f"i-{index}", "State": {"Name": state}, "LaunchTime": time}
        for index, (state, time) in enumerate(found)
    ]
    with builder_on(moto.url, moto) as builder:
        showing(builder.clients.read.ec2, "DescribeInstances", Reservations=[{"Instances": shown}])
        look = builder.look(BUILD.token, BUILD.name)
    assert look.instance == (None if seen is None else f"i-{seen}")


def test_commands_are_seen_while_the_instance_stops(moto: MotoServer) -> None:
    """A build that goes on while its instance stops, or is stopped, runs no command again."""
    lay_out(moto)
    states = []
    with builder_on(moto.url, moto) as builder:
        for step in BUILD.steps(builder):
            if isinstance(step.command, StopInstance):
                break
        for _ in range(5):
            look = builder.look(BUILD.token, BUILD.name)
            assert [run.exit_code for run in look.runs] == [0] * len(COMMANDS)
            states.append(look.instance_state)
    assert {"stopping", "stopped"} <= set(states)


def test_only_an_agent_that_is_online_is_ready(moto: MotoServer) -> None:
    """An agent that lost its connection, or is not listed, takes no command."""
    lay_out(moto)
    ready = {}
    for said in ("Online", "ConnectionLost", "Inactive", None):
        shown = [{"PingStatus": said}] if said else []
        with builder_on(moto.url, moto) as builder:
            stopped(moto, builder)
            showing(builder.clients.read.ssm, "DescribeInstanceInformation", InstanceInformationList=shown)
            ready[said] = builder.look(BUILD.token, BUILD.name).ready
    assert ready == {"Online": True, "ConnectionLost": False, "Inactive": False, None: False}


def test_only_the_builds_own_commands_are_seen_and_of_two_the_first(moto: MotoServer) -> None:
    """What others sent to the instance is no command of the build; of one sent twice the first tells."""

    def sent(comment: str | None, second: int, code: int) -> dict[str, Any]:
        plugins = [{"ResponseCode": code, "Output": ""}]
        shown = {"Status": "Failed", "CommandPlugins": plugins, "RequestedDateTime": second}
        return shown if comment is None else shown | {"Comment": comment}

    shown = [
        sent("t:0", 2, 2), sent("t:0", 1, 1), sent("t:0", 3, 3),
        sent("u:1", 1, 4), sent("t:x", 1, 5), sent("t", 1, 6), sent(None, 1, 7),
    ]  # fmt: skip
    with builder_on(moto.url, moto) as builder:
        showing(builder.clients.read.ssm, "ListCommandInvocations", CommandInvocations=shown)
        assert isinstance(builder.remote, SystemsManager)
        runs = builder.remote.runs("i-1", "t")
    assert {index: run.exit_code for index, run in runs.items()} == {0: 1}


def test_a_command_that_is_shown_is_not_sent_again(moto: MotoServer) -> None:
    """Asked for a second time, a command that Systems Manager lists is applied, and nothing is sent."""
    lay_out(moto)
    with builder_on(moto.url, moto) as builder:
        instance = stopped(moto, builder).instance
        command = RunCommand(instance=instance, token=BUILD.token, index=0, text="true", seconds=9)
        for _ in range(2):
            assert builder.apply(command) == BuildOutcome(result=Result.APPLIED)
    assert moto.operations().count("SendCommand") == 1


@pytest.mark.parametrize("status", ["Pending", "InProgress", "Delayed", "Cancelling"])
def test_a_command_on_its_way_has_no_end(status: str) -> None:
    """Until it has ended, however it will, a command runs."""
    assert ended({"Status": status, "CommandPlugins": [{"ResponseCode": -1}]}) == CommandRun()


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("pending", "pending"),
        ("transient", "pending"),
        ("available", "available"),
        ("failed", "failed"),
        ("error", "failed"),
        ("invalid", "failed"),
        ("deregistered", "failed"),
        ("disabled", "failed"),
        ("something-new", "failed"),
    ],
)
def test_one_state_of_an_image_is_available(state: str, said: str, moto: MotoServer) -> None:
    """Two states of an image are waited for, one is the end that is meant, all others are not."""
    for token, foreign in ((BUILD.token, False), ("of another build", True)):
        image = {"ImageId": "ami-1", "State": state, "Tags": [{"Key": BUILD_TAG, "Value": token}]}
        with builder_on(moto.url, moto) as builder:
            showing(builder.clients.read.ec2, "DescribeImages", Images=[image])
            look = builder.look(BUILD.token, BUILD.name)
        assert (look.image_state, look.foreign) == (said, foreign)


def test_what_is_asked_of_aws_for_a_build(moto: MotoServer) -> None:
    """Instance and volumes bear tags and a name, images are our own ones, a command's time has bounds."""
    lay_out(moto)
    sent: list[tuple[str, dict[str, Any]]] = []

    def keep(params: dict[str, Any], model: Any, **_: Any) -> None:
        sent.append((model.name, dict(params)))

    moto.session().events.register("provide-client-params", keep)
    try:
        with builder_on(moto.url, moto) as builder:
            instance = stopped(moto, builder).instance
            builder.look(BUILD.token, BUILD.name)
            for index, seconds in enumerate((0, 10**6)):
                command = RunCommand(
                    instance=instance, token=BUILD.token, index=index, text="true", seconds=seconds
                )
                assert builder.apply(command).result is Result.APPLIED
    finally:
        moto.session().events.unregister("provide-client-params", keep)
    asked = {name: params for name, params in sent if name in ("RunInstances", "DescribeImages")}
    marks = {SERVICE_TAG: "exercise", BUILD_TAG: BUILD.token, "Name": f"build of {BUILD.name}"}
    tagged = asked["RunInstances"]["TagSpecifications"]
    assert {each["ResourceType"]: tags(each["Tags"]) for each in tagged} == {
        "instance": marks,
        "volume": marks,
    }
    assert asked["DescribeImages"] == {
        "Owners": ["self"],
        "Filters": [{"Name": "name", "Values": [BUILD.name]}],
        "IncludeDisabled": True,
    }
    commands = [params["Parameters"]["executionTimeout"] for name, params in sent if name == "SendCommand"]
    assert commands == [["1"], ["172800"]]
    agents = [params for name, params in sent if name == "DescribeInstanceInformation"]
    assert agents
    assert all(each["Filters"] == [{"Key": "InstanceIds", "Values": [instance]}] for each in agents)


# ------------------------------------------------------------------------------------------------- the shell


def shell(folder: Path) -> Callable[[str], tuple[int, str]]:
    """Runs what is sent as the agent does, and shows as much of its output as Systems Manager."""

    def run_script(script: str) -> tuple[int, str]:
        ran = subprocess.run(
            ["/bin/sh", "-c", script.replace("/run/", f"{folder}/")],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        failed = f"failed to run commands: exit status {ran.returncode}" if ran.returncode else ""
        errors = f"\n----------ERROR-------\n{ran.stderr}{failed}" if ran.stderr or failed else ""
        return ran.returncode, (ran.stdout + errors)[:SHOWN]

    return run_script


def once(text: str, folder: Path, index: int = 0, memory: Path | None = None) -> subprocess.Popen[str]:
    """A command as it is sent, started by a shell in a folder that is its memory too, or ``memory`` is."""
    script = wrapped(RunCommand(instance="i-1", token="t", index=index, text=text, seconds=60))
    return subprocess.Popen(
        ["/bin/sh", "-c", script.replace("/run/", f"{memory or folder}/")],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


TEXTS: dict[str, tuple[str, int, str]] = {
    "nothing": ("true", 0, ""),
    "fails": ("false", 1, ""),
    "exit": ("echo before; exit 3; echo after", 3, "before\n"),
    "lines": ("echo one\necho two\n\necho three", 0, "one\ntwo\nthree\n"),
    "last line decides": ("false\necho well", 0, "well\n"),
    "set -e": ("set -e\nfalse\necho never", 1, ""),
    "quotes": ("""echo "it's" 'a "quote"'""", 0, 'it\'s a "quote"\n'),
    "braces": ("x=v; echo ${x} '{token}' '{0}' '{{}}'", 0, "v {token} {0} {{}}\n"),
    "percent and backslash": (r"printf '%s\n' 'a\nb'", 0, "a\\nb\n"),
    "heredoc": ("cat <<END\nfirst\n  second $((1 + 1))\nEND", 0, "first\n  second 2\n"),
    "quoted heredoc": ("cat <<'END'\n$d {text}\n)\nEND\nexit 4", 4, "$d {text}\n)\n"),
    "comment at the end": ("echo seen # and no more", 0, "seen\n"),
    "backslash at the end": ("echo seen \\", 0, "seen\n"),
    "both streams": ("echo out; echo err >&2", 0, "out\nerr\n"),
    "subshell and case": ("(exit 5); case $? in 5) echo five;; esac", 0, "five\n"),
    "in the background": ("sleep 60 & echo $! > child; echo started", 0, "started\n"),
    "long": ("yes 0123456789 | head -n 1000; echo end", 0, "0123456789\n" * 200 + "end\n"),
}


@pytest.mark.process
@pytest.mark.parametrize("name", TEXTS)
def test_a_shell_runs_a_command_as_it_stands(name: str, tmp_path: Path) -> None:
    """Whatever it is made of, its exit code is the script's, and the end of its output is what is shown."""
    text, code, output = TEXTS[name]
    ran = once(text, tmp_path)
    told, errors = ran.communicate(timeout=20)
    assert (ran.returncode, told, errors) == (code, output[-OUTPUT_BYTES:], "")
    if (child := tmp_path / "child").exists():
        subprocess.run(["kill", child.read_text().strip()], check=True)


@pytest.mark.process
def test_a_command_that_cannot_be_parsed_fails(tmp_path: Path) -> None:
    """A command with a fault of syntax runs no part of the script, and does not end well."""
    ran = once("if true; then echo half", tmp_path)
    told, errors = ran.communicate(timeout=20)
    assert ran.returncode
    assert told == ""
    assert "yntax" in errors


@pytest.mark.process
@pytest.mark.parametrize("code", [0, 3])
def test_sent_twice_a_command_runs_once(code: int, tmp_path: Path) -> None:
    """At the same time or later: it runs once, and everyone who sent it is told how it ended."""
    text = f"echo ran >> count\nsleep 0.5\necho the end\nexit {code}"
    both = [once(text, tmp_path), once(text, tmp_path)]
    ends = [(*each.communicate(timeout=20)[:1], each.returncode) for each in both]
    late = once(text, tmp_path)
    ends.append((*late.communicate(timeout=20)[:1], late.returncode))
    assert ends == [("the end\n", code)] * 3
    assert (tmp_path / "count").read_text() == "ran\n"


@pytest.mark.process
def test_each_command_has_a_memory_of_its_own(tmp_path: Path) -> None:
    """Equal commands at two places of a build run twice."""
    for index in (0, 1):
        ran = once("echo ran >> count", tmp_path, index)
        assert ran.communicate(timeout=20) == ("", "")
    assert (tmp_path / "count").read_text() == "ran\nran\n"


@pytest.mark.process
def test_without_a_place_to_remember_nothing_runs(tmp_path: Path) -> None:
    """A command that could not be kept from running twice does not run at all."""
    ran = once("echo ran > ran", tmp_path, memory=tmp_path / "nowhere")
    told, errors = ran.communicate(timeout=20)
    assert (ran.returncode, told) == (125, "")
    assert "mkdir" in errors
    assert not (tmp_path / "ran").exists()
