"""Makes functions with versions, or prints what their aliases point to. Usage: versions.py make|live FUNCTIONS.JSON

The functions by name, each with the release and the digest of its versions, of which the last one is live; one that is null
is deleted.
"""

import io
import json
import sys
import zipfile

import boto3

aws_lambda = boto3.client("lambda")


def make(name, versions):
    code = io.BytesIO()
    zipfile.ZipFile(code, "w").writestr("bootstrap", "")
    role = "arn:aws:iam::000000000000:role/r"
    aws_lambda.create_function(
        FunctionName=name, Runtime="provided.al2023", Handler="bootstrap", Role=role, Code={"ZipFile": code.getvalue()}
    )
    for number, version in enumerate(versions, 1):
        release, digest = version or ["none", str(number)]
        variables = {"RELEASE": release, "CONFIGURATION_DIGEST": digest}
        aws_lambda.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
        assert aws_lambda.publish_version(FunctionName=name)["Version"] == str(number)
        if version is None:
            aws_lambda.delete_function(FunctionName=name, Qualifier=str(number))
    weights = {"AdditionalVersionWeights": {str(number - 1): 0.1}} if number > 1 else {}
    aws_lambda.create_alias(FunctionName=name, Name="live", FunctionVersion=str(number), RoutingConfig=weights)


def live(name):
    alias = aws_lambda.get_alias(FunctionName=name, Name="live")
    weights = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    return "+".join([alias["FunctionVersion"], *weights])


functions = json.loads(sys.argv[2])
if sys.argv[1] == "make":
    for of in functions.items():
        make(*of)
print(json.dumps({name: live(name) for name in functions}))
