"""What each service answers. Who asks for anything else is told so, by name."""

from __future__ import annotations

from ..asking import Change, Read
from . import (
    autoscaling_activities,
    autoscaling_changes,
    autoscaling_hooks,
    autoscaling_instances,
    autoscaling_policies,
    autoscaling_reads,
    cloudwatch,
    cloudwatch_metrics,
    ec2_images,
    ec2_instances,
    ec2_templates,
    elbv2,
    elbv2_attributes,
    elbv2_groups,
    ssm,
    sts,
)

READS: dict[str, dict[str, Read]] = {
    "autoscaling": autoscaling_reads.READS
    | autoscaling_activities.READS
    | autoscaling_hooks.READS
    | autoscaling_instances.READS
    | autoscaling_policies.READS,
    "cloudwatch": cloudwatch.READS,
    "ec2": ec2_templates.READS | ec2_images.READS | ec2_instances.READS,
    "elbv2": elbv2.READS | elbv2_groups.READS | elbv2_attributes.READS,
    "ssm": ssm.READS,
    "sts": sts.READS,
}
CHANGES: dict[str, dict[str, Change]] = {
    "autoscaling": autoscaling_changes.CHANGES
    | autoscaling_hooks.CHANGES
    | autoscaling_instances.CHANGES
    | autoscaling_policies.CHANGES,
    "cloudwatch": cloudwatch.CHANGES,
    "ec2": ec2_templates.CHANGES | ec2_images.CHANGES | ec2_instances.CHANGES,
    "elbv2": elbv2.CHANGES | elbv2_groups.CHANGES | elbv2_attributes.CHANGES,
    "ssm": ssm.CHANGES,
    "sts": sts.CHANGES,
}
MEASURES: dict[str, dict[str, cloudwatch_metrics.Measure]] = {"cloudwatch": cloudwatch_metrics.MEASURES}
"""What is answered from what users met, not from the world alone."""
