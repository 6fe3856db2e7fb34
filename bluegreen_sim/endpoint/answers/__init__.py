"""What each service answers. Who asks for anything else is told so, by name."""

from __future__ import annotations

from ..asking import Change, Read
from . import (
    autoscaling_changes,
    autoscaling_reads,
    cloudwatch,
    cloudwatch_metrics,
    ec2_images,
    ec2_instances,
    ec2_templates,
    elbv2,
    ssm,
    sts,
)

READS: dict[str, dict[str, Read]] = {
    "autoscaling": autoscaling_reads.READS,
    "cloudwatch": cloudwatch.READS,
    "ec2": ec2_templates.READS | ec2_images.READS | ec2_instances.READS,
    "elbv2": elbv2.READS,
    "ssm": ssm.READS,
    "sts": sts.READS,
}
CHANGES: dict[str, dict[str, Change]] = {
    "autoscaling": autoscaling_changes.CHANGES,
    "cloudwatch": cloudwatch.CHANGES,
    "ec2": ec2_templates.CHANGES | ec2_images.CHANGES | ec2_instances.CHANGES,
    "elbv2": elbv2.CHANGES,
    "ssm": ssm.CHANGES,
    "sts": sts.CHANGES,
}
MEASURES: dict[str, dict[str, cloudwatch_metrics.Measure]] = {"cloudwatch": cloudwatch_metrics.MEASURES}
"""What is answered from what users met, not from the world alone."""
