"""Prints template.yaml as AWS deploys it, as JSON: translated by AWS's translator, and for these values of its
parameters, without conditions and without what they leave out. Usage: translated.py template.yaml NAME=VALUE...
"""

import json
import sys
from pathlib import Path

from roles import Template
from samtranslator.translator.transform import transform


class Managed:
    """The translator asks for AWS's managed policies, which the template has none of."""

    def load(self):
        return {}


class Translated(Template):
    def __init__(self, text, values):
        super().__init__(text, values)
        for name, resource in self.template["Resources"].items():
            if resource["Type"] == "AWS::Serverless::Function":
                resource["Properties"]["CodeUri"] = {"Bucket": "code", "Key": name}
        self.template = transform(self.template, dict(values), Managed())
        del self.values["IdentityPool"]  # a resource, here

    def resolved(self):
        resources = {name: of for name, of in self.template["Resources"].items() if self.is_there(of)}
        resolved = {name: self.resolve({k: v for k, v in of.items() if k != "Condition"}) for name, of in resources.items()}
        return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resolved}

    def is_there(self, resource):
        return "Condition" not in resource or self.condition({"Condition": resource["Condition"]})

    def resolve(self, value):
        """Values and conditions; what only a deployment knows stays a reference."""
        if isinstance(value, dict):
            if set(value) == {"Ref"} and value["Ref"] not in {*self.values, "AWS::NoValue"}:
                return value
            if set(value) == {"Fn::FindInMap"}:
                name, key, attribute = value["Fn::FindInMap"]
                return self.template["Mappings"][name][str(self.resolve(key))][attribute]
            if set(value) == {"Fn::GetAtt"} or set(value) == {"Fn::Sub"}:
                return value if "Fn::GetAtt" in value else self.text(value["Fn::Sub"])
            return {key: of for key, of in super().resolve(value).items() if of is not None} if not function(value) else super().resolve(value)
        return super().resolve(value)
