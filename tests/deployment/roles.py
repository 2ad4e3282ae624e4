"""Prints the roles of template.yaml as JSON, with every reference resolved. Usage: roles.py template.yaml NAME=VALUE...

The arguments are values of the template's parameters; others have their defaults.
"""

import json
import re
import sys
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

REGION, ACCOUNT, PARTITION = "eu-west-1", "111122223333", "aws"
POOL = f"{REGION}:00000000-0000-4000-8000-000000000000"
ARN = f"arn:{PARTITION}:{{service}}:{REGION}:{ACCOUNT}:{{resource}}"
# What each type of resource is called by: the service and the resource of its ARN, and the property with its name.
TYPES = {
    "AWS::DynamoDB::Table": ("dynamodb", "table/{}", "TableName"),
    "AWS::Kinesis::Stream": ("kinesis", "stream/{}", "Name"),
    # The template's one reader; its ARN ends with the time when it was registered.
    "AWS::Kinesis::StreamConsumer": ("kinesis", "stream/{0}/consumer/{0}:1767225600", "ConsumerName"),
    "AWS::Logs::LogGroup": ("logs", "log-group:{}:*", "LogGroupName"),
    "AWS::SQS::Queue": ("sqs", "{}", "QueueName"),
    "AWS::Serverless::Function": ("lambda", "function:{}", "FunctionName"),
}


class Template:
    def __init__(self, text, values):
        self.template = yaml_parse(text)
        defaults = {name: of.get("Default") for name, of in self.template["Parameters"].items()}
        pseudo = {"AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "AWS::Partition": PARTITION}
        self.values = {**defaults, **pseudo, **values, "IdentityPool": POOL}

    def roles(self):
        resources = self.template["Resources"].items()
        return {name: self.resolve(of["Properties"]) for name, of in resources if of["Type"] == "AWS::IAM::Role"}

    def resolve(self, value):
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not None]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (function, argument), = value.items()
            if function == "Ref":
                return None if argument == "AWS::NoValue" else self.values[argument]
            if function == "Fn::GetAtt":
                return self.attribute(*argument)
            if function == "Fn::Sub":
                return self.substitute(argument)
            if function == "Fn::If":
                name, yes, no = argument
                return self.resolve(yes if self.condition({"Condition": name}) else no)
        return {key: self.resolve(of) for key, of in value.items()}

    def attribute(self, name, attribute):
        resource = self.template["Resources"][name]
        service, path, property_name = TYPES[resource["Type"]]
        arn = ARN.format(service=service, resource=path.format(self.resolve(resource["Properties"][property_name])))
        return {"Arn": arn, "ConsumerARN": arn, "StreamArn": f"{arn}/stream/2026-01-01T00:00:00.000"}[attribute]

    def substitute(self, argument):
        text, own = argument if isinstance(argument, list) else (argument, {})

        def value(match):
            name = match.group(1)
            if name in own:
                return self.resolve(own[name])
            return self.attribute(*name.split(".")) if "." in name else str(self.values[name])

        return re.sub(r"\$\{([^}]+)\}", value, text)

    def condition(self, condition):
        (function, argument), = condition.items()
        if function == "Condition":
            return self.condition(self.template["Conditions"][argument])
        if function == "Fn::Equals":
            return str(self.resolve(argument[0])) == str(self.resolve(argument[1]))
        if function == "Fn::Not":
            return not self.condition(argument[0])
        return {"Fn::And": all, "Fn::Or": any}[function](map(self.condition, argument))


def main():
    values = dict(argument.split("=", 1) for argument in sys.argv[2:])
    json.dump(Template(Path(sys.argv[1]).read_text(), values).roles(), sys.stdout)


if __name__ == "__main__":
    main()
