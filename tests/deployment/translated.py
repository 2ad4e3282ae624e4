"""Prints template.yaml as AWS deploys it, as JSON: translated by AWS's translator, and for these values of its
parameters, without conditions and what they leave out. Usage: translated.py template.yaml NAME=VALUE...
"""

import json
import logging
import os
import re
import sys
from pathlib import Path

from roles import REGION, Template
from samtranslator.translator.transform import transform


class NoManagedPolicies:
    """The translator asks for AWS's managed policies, of which the template has none."""

    def load(self):
        return {}


class Translated(Template):
    def __init__(self, text, values):
        super().__init__(text, values)
        del self.values["IdentityPool"]  # here it is a resource
        for name, of in self.template["Resources"].items():
            if of["Type"] == "AWS::Serverless::Function":
                of["Properties"]["CodeUri"] = {"Bucket": "code", "Key": name}
        os.environ["AWS_DEFAULT_REGION"] = REGION
        self.template = transform(self.template, dict(values), NoManagedPolicies())

    def stack(self):
        resources = {name: of for name, of in self.template["Resources"].items() if self.has(of.pop("Condition", None))}
        return {"Resources": self.resolve(resources)}

    def has(self, condition):
        return condition is None or self.condition({"Condition": condition})

    def resolve(self, value):
        if not isinstance(value, dict):
            return super().resolve(value)
        function = next(iter(value)) if len(value) == 1 else None
        if function == "Fn::GetAtt" or (function == "Ref" and value["Ref"] not in {*self.values, "AWS::NoValue"}):
            return value  # only a deployment knows it
        if function == "Fn::FindInMap":
            name, key, attribute = map(self.resolve, value[function])
            return self.template["Mappings"][name][str(key)][attribute]
        resolved = super().resolve(value)
        if isinstance(resolved, dict):
            return {key: of for key, of in resolved.items() if of is not None}
        return resolved

    def substitute(self, argument):
        """With the parameters' values; names of resources stay."""
        text, *own = argument if isinstance(argument, list) else [argument]
        text = re.sub(r"\$\{([\w:]+)\}", lambda match: str(self.values.get(match.group(1), match.group(0))), text)
        return {"Fn::Sub": [text, *self.resolve(own)] if own else text} if "${" in text else text


def main():
    logging.disable(logging.WARNING)
    values = dict(argument.split("=", 1) for argument in sys.argv[2:])
    json.dump(Translated(Path(sys.argv[1]).read_text(), values).stack(), sys.stdout, default=str)


if __name__ == "__main__":
    main()
