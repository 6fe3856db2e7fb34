// Reads groups, health, alarms and an error with the AWS SDK for JavaScript: node read.mjs URL GROUP TARGET_GROUP
import { AutoScalingClient, DescribeAutoScalingGroupsCommand } from "@aws-sdk/client-auto-scaling";
import { CloudWatchClient, DescribeAlarmsCommand } from "@aws-sdk/client-cloudwatch";
import {
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  TargetGroupNotFoundException,
} from "@aws-sdk/client-elastic-load-balancing-v2";

const [endpoint, group, targetGroup] = process.argv.slice(2);
const options = { endpoint, region: "us-east-1", credentials: { accessKeyId: "AKIAOTHER", secretAccessKey: "other" } };
const scaling = new AutoScalingClient(options);
const balancing = new ElasticLoadBalancingV2Client(options);
const watching = new CloudWatchClient(options);

const groups = await scaling.send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [group] }));
const found = await balancing.send(new DescribeTargetGroupsCommand({ Names: [targetGroup] }));
const TargetGroupArn = found.TargetGroups[0].TargetGroupArn;
const health = await balancing.send(new DescribeTargetHealthCommand({ TargetGroupArn }));
const alarms = await watching.send(new DescribeAlarmsCommand({}));
const error = await balancing.send(new DescribeTargetGroupsCommand({ Names: ["nobody"] })).catch((caught) => caught);

console.log(
  JSON.stringify({
    instances: groups.AutoScalingGroups[0].Instances.map((each) => each.InstanceId),
    created: groups.AutoScalingGroups[0].CreatedTime instanceof Date,
    health: health.TargetHealthDescriptions.map((each) => [each.Target.Id, each.TargetHealth.State]),
    alarms: alarms.MetricAlarms.map((each) => [each.AlarmName, each.StateValue]),
    typed: error instanceof TargetGroupNotFoundException,
    status: error.$metadata.httpStatusCode,
  }),
);
