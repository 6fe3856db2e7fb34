"""A rule is written back as it was read, but for the weights."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen import WeightedTargetGroups
from bluegreen.aws.routing import NotThere, TargetGroup, _led, divided, rewritten, weights
from tests.contract.providers import plan_for

pytestmark = pytest.mark.property

OURS = ("arn:a", "arn:b")


def forward(found: list[dict[str, Any]], stickiness: dict[str, Any] | None) -> dict[str, Any]:
    """A forward action over some target groups."""
    config: dict[str, Any] = {"TargetGroups": found}
    if stickiness:
        config["TargetGroupStickinessConfig"] = stickiness
    return {"Type": "forward", "Order": 2, "ForwardConfig": config}


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    """A rule that divides between both target groups, and does other things besides."""
    others = draw(st.lists(st.sampled_from(["arn:c", "arn:d", "arn:e"]), unique=True))
    order = draw(st.permutations([*OURS, *others]))
    found = [{"TargetGroupArn": arn, "Weight": draw(st.integers(0, 999))} for arn in order]
    stickiness = draw(st.none() | st.just({"Enabled": True, "DurationSeconds": 60}))
    oidc = {"Issuer": "https://i.example", "ClientId": "c", "SessionTimeout": 60}
    actions = [
        *(
            [{"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": oidc}]
            if draw(st.booleans())
            else []
        ),
        forward(found, stickiness),
    ]
    return {"RuleArn": "arn:rule", "Actions": actions, "Conditions": [{"Field": "path-pattern"}]}


@given(rule=rules(), wanted=st.tuples(st.integers(0, 999), st.integers(0, 999)))
def test_only_the_weights_of_both_groups_change(rule: dict[str, Any], wanted: tuple[int, int]) -> None:
    """Stickiness, foreign target groups, their order and other actions survive a change of the weights."""
    before, asked = deepcopy(rule), dict(zip(OURS, wanted, strict=True))
    actions = rewritten(rule, asked)
    assert rule == before, "what was read is not changed in place"
    expected = deepcopy(before["Actions"])
    for action in expected:
        for each in action.get("ForwardConfig", {}).get("TargetGroups", ()):
            each["Weight"] = asked.get(each["TargetGroupArn"], each["Weight"])
        if "AuthenticateOidcConfig" in action:
            action["AuthenticateOidcConfig"]["UseExistingClientSecret"] = True
    assert actions == expected
    assert weights({**rule, "Actions": actions}, set(OURS)) == asked


@given(rule=rules())
def test_the_weights_before_restore_the_rule(rule: dict[str, Any]) -> None:
    """Changing the weights and changing them back gives the actions that were there before."""
    before = weights(rule, set(OURS))
    there = rewritten(rule, dict.fromkeys(OURS, 7))
    assert rewritten({**rule, "Actions": there}, before) == rewritten(rule, before)


PLAN = plan_for("weighted", routing=WeightedTargetGroups("a", "b", also=(("c", "d"),)))
GROUPS = {name: TargetGroup(name, f"arn:{name}", (), "instance") for name in "abcd"}


def test_a_rule_that_divides_no_more_is_said_to() -> None:
    """A rule without one of the target groups has no weights to read."""
    rule = {"RuleArn": "arn:rule", "Actions": [forward([{"TargetGroupArn": "arn:a", "Weight": 1}], None)]}
    with pytest.raises(NotThere, match="forwards to both target groups no more"):
        divided(rule, PLAN, GROUPS)


def test_a_rule_divides_between_the_pair_that_it_names() -> None:
    """Of several pairs of target groups each rule shows the weights of its own, by the plan's groups."""
    both = [{"TargetGroupArn": f"arn:{name}", "Weight": weight} for name, weight in (("d", 3), ("c", 7))]
    found = divided({"RuleArn": "arn:rule", "Actions": [forward(both, None)]}, PLAN, GROUPS)
    assert found == dict(zip(PLAN.groups, (("arn:c", 7), ("arn:d", 3)), strict=True))


def test_only_the_action_that_divides_between_both_is_written_anew() -> None:
    """What boto3 shows beside several target groups is left out, a secret is kept, half a pair is no pair."""
    both = forward([{"TargetGroupArn": arn, "Weight": 1} for arn in OURS], None)
    half = forward([{"TargetGroupArn": "arn:a", "Weight": 1}], None) | {"TargetGroupArn": "arn:a"}
    secret = {"AuthenticateOidcConfig": {"ClientId": "c", "ClientSecret": "s"}}
    rule = {"RuleArn": "arn:rule", "Actions": [secret, half, both | {"TargetGroupArn": "arn:a"}]}
    written = rewritten(rule, dict.fromkeys(OURS, 7))
    kept = {"AuthenticateOidcConfig": {"ClientId": "c", "UseExistingClientSecret": True}}
    assert written == [kept, half, forward([{"TargetGroupArn": arn, "Weight": 7} for arn in OURS], None)]


@pytest.mark.parametrize(
    ("action", "led"),
    [
        ({"TargetGroupArn": "arn:a"}, {"arn:a": 1}),
        ({"ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "arn:a"}]}}, {"arn:a": 1}),
        ({"ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "arn:a", "Weight": 0}]}}, {"arn:a": 0}),
        ({"Type": "redirect"}, {}),
    ],
)
def test_one_target_group_alone_needs_no_weight(action: dict[str, Any], led: dict[str, int]) -> None:
    """An action that names one group leads there, in either form and without a weight; 0 is no share."""
    assert _led(action) == led
