"""Deploys template.yaml to a local endpoint, with functions built for this machine.

What is deployed is the template that goes to AWS, translated by AWS's own translator. Only what
cannot be the same is changed on the way: where the functions' code is, and the endpoints that they
call. Prints one JSON object: the stack's outputs, its identity pool, and keys of an operator.
"""

import argparse
import io
import json
import platform
import sys
import zipfile
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import WaiterError
from samtranslator.translator.managed_policy_translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

BUCKET = "sqs-browser-events-code"


def main():
    args = arguments()
    session = boto3.Session(
        aws_access_key_id=args.access_key,
        aws_secret_access_key=args.secret_key,
        region_name=args.region,
    )
    settings = {"endpoint_url": args.endpoint, "config": Config(s3={"addressing_style": "path"})}
    template = yaml_parse(Path(args.template).read_text())
    upload_code(session.client("s3", **settings), template, Path(args.binaries))
    add_environment(template, json.loads(args.environment))
    simplify_alarms(template)
    write_out_readers(template)
    parameters = {
        "Env": args.env,
        "Architecture": architecture(),
        "Identities": args.identities,
        "KeepData": "never",  # an earlier run's stack is deleted, whatever the environment's name
        "EventBusName": f"{args.env}-sqs-browser-unreached",
        "OfflineTypes": "invoice, reminder",
    }
    unreached = create_bus(session, settings, parameters["EventBusName"])
    loader = ManagedPolicyLoader(session.client("iam", **settings))
    translated = with_gateway_responses(transform(template, dict(parameters), loader))
    url = upload_template(session.client("s3", **settings), args.endpoint, translated)
    cloudformation = session.client("cloudformation", **settings)
    outputs = create_stack(cloudformation, args.env, url, parameters)
    # As `make deploy` does after SAM.
    cloudformation.set_stack_policy(StackName=stack_name(args.env), StackPolicyBody=args.stack_policy)
    tables = {"Sessions": outputs["SessionsTable"], "Messages": outputs["MessagesTable"]}
    set_ttl(session.client("dynamodb", **settings), translated, tables)
    iam = session.client("iam", **settings)
    pool = identity_pool(session.client("cognito-identity", **settings), outputs["IdentityPoolId"])
    pool["role"], pool["policy"] = browser_policy(iam, translated, args.env)
    user = create_user(iam, args.env)
    json.dump({"outputs": outputs, "pool": pool, "user": user, "unreachedQueueUrl": unreached}, sys.stdout)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("template", "stack-policy", "binaries", "env", "endpoint", "region", "identities"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("access-key", "secret-key"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--environment", default="{}", help="variables for every function, as JSON")
    return parser.parse_args()


def architecture():
    return "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"


def functions(template):
    resources = template["Resources"].values()
    return [resource for resource in resources if resource["Type"] == "AWS::Serverless::Function"]


def upload_code(s3, template, binaries):
    """Puts each function's binary where the template then says its code is."""
    s3.create_bucket(Bucket=BUCKET)
    for function in functions(template):
        binary = function["Metadata"]["BuildProperties"]["Binary"]
        key = f"{binary}.zip"
        s3.put_object(Bucket=BUCKET, Key=key, Body=bootstrap_zip(binaries / binary))
        function["Properties"]["CodeUri"] = {"Bucket": BUCKET, "Key": key}
        del function["Metadata"]


def bootstrap_zip(binary):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, binary.read_bytes())
    return buffer.getvalue()


def add_environment(template, variables):
    """Endpoints of this machine are a parameter of this deployment, not of the template."""
    for function in functions(template):
        environment = function["Properties"].setdefault("Environment", {})
        environment.setdefault("Variables", {}).update(variables)


def create_bus(session, settings, name):
    """A bus for the events of unreached messages, and a queue by which they can be seen; its URL.

    The demo page has a queue of its own. On AWS all of this is the application's.
    """
    events, sqs = session.client("events", **settings), session.client("sqs", **settings)
    if name not in [bus["Name"] for bus in events.list_event_buses()["EventBuses"]]:
        events.create_event_bus(Name=name)
    urls = [sqs.create_queue(QueueName=queue)["QueueUrl"] for queue in (name, f"{name}-page")]
    queues = [sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"]) for url in urls]
    arns = [queue["Attributes"]["QueueArn"] for queue in queues]
    pattern = {"source": ["sqs-browser-events"], "detail-type": ["message.unreached"]}
    events.put_rule(Name=name, EventBusName=name, EventPattern=json.dumps(pattern))
    targets = [{"Id": str(index), "Arn": arn} for index, arn in enumerate(arns)]
    events.put_targets(Rule=name, EventBusName=name, Targets=targets)
    return urls[0]


def with_gateway_responses(template):
    """MiniStack passes over those in the body of an API, where the translator puts them, but knows the resource."""
    resources = template["Resources"]
    responses = resources["Api"]["Properties"]["Body"].pop("x-amazon-apigateway-gateway-responses")
    own = {f"Response{name.title().replace('_', '')}": response(name, of) for name, of in responses.items()}
    for resource in resources.values():
        if resource["Type"] == "AWS::ApiGateway::Deployment":
            resource["DependsOn"] = list(own)  # a deployment holds the responses that are there by then
    resources.update(own)
    return template


def response(name, of):
    properties = {"RestApiId": {"Ref": "Api"}, "ResponseType": name}
    properties.update({key[0].upper() + key[1:]: value for key, value in of.items()})
    return {"Type": "AWS::ApiGateway::GatewayResponse", "Properties": properties}


def upload_template(s3, endpoint, template):
    """Its URL: CloudFormation takes 51,200 bytes with the call, and 1 MB from a bucket."""
    s3.put_object(Bucket=BUCKET, Key="template.json", Body=json.dumps(template))
    return f"{endpoint}/{BUCKET}/template.json"


def stack_name(env):
    return f"{env}-sqs-browser-events"


def create_stack(cloudformation, env, template_url, parameters):
    """Creates the stack; one that an earlier run left on a lasting endpoint goes first."""
    name = stack_name(env)
    cloudformation.delete_stack(StackName=name)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    cloudformation.create_stack(
        StackName=name,
        TemplateURL=template_url,
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    try:
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
    except WaiterError:
        sys.exit("\n".join([f"the stack {name} was not created:", *failures(cloudformation, name)]))
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def failures(cloudformation, name):
    """What failed, and why, of a stack's resources."""
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    failed = [event for event in events if event["ResourceStatus"].endswith("FAILED")]
    return [f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason')}" for event in failed]


def simplify_alarms(template):
    """MiniStack knows no metric math: such an alarm is there, and watches the first of its metrics."""
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in properties:
            queries = properties.pop("Metrics")
            first = next(query["MetricStat"] for query in queries if "MetricStat" in query)
            properties |= {**first["Metric"], "Statistic": first["Stat"], "Period": first["Period"]}


def write_out_readers(template):
    """MiniStack's CloudFormation makes a text of a parameter's number, and AWS's SDKs cannot read a mapping that has one."""
    default = template["Parameters"]["ParallelizationFactor"]["Default"]
    stream = template["Resources"]["EventDispatcher"]["Properties"]["Events"]["Stream"]["Properties"]
    stream["ParallelizationFactor"] = default


def set_ttl(dynamodb, template, tables):
    """MiniStack's CloudFormation passes over this setting of a table; its DynamoDB knows it."""
    for resource, table in tables.items():
        specification = template["Resources"][resource]["Properties"]["TimeToLiveSpecification"]
        dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=specification)


def identity_pool(cognito, pool_id):
    pool = cognito.describe_identity_pool(IdentityPoolId=pool_id)
    return {
        "developerProvider": pool.get("DeveloperProviderName") or None,
        "allowsGuests": pool["AllowUnauthenticatedIdentities"],
    }


def browser_policy(iam, template, env):
    """The browsers' role, and the name of its policy."""
    policy = template["Resources"]["BrowserRole"]["Properties"]["Policies"][0]["PolicyName"]
    for role in iam.list_roles()["Roles"]:
        if "BrowserRole" in role["RoleName"] and env in role["RoleName"]:
            return role["RoleName"], policy
    raise SystemExit("the stack has no role for browsers")


def create_user(iam, env):
    """Keys of a user who may do everything, as a backend and operator on one machine does."""
    name = f"{env}-operator"
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    try:
        iam.create_user(UserName=name)
    except iam.exceptions.EntityAlreadyExistsException:
        pass  # left by an earlier run on a lasting endpoint
    iam.put_user_policy(UserName=name, PolicyName="everything", PolicyDocument=json.dumps(allow))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"accessKey": key["AccessKeyId"], "secretKey": key["SecretAccessKey"]}


if __name__ == "__main__":
    main()
