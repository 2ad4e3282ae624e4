"""Makes functions of the local system run the binaries in a directory, as docs/OPERATIONS.md describes it for AWS.

Usage: release.py STACK.JSON BINARIES NAME FUNCTION... Each gets a new version, which is
printed, and its alias `live` is moved to that.
Invocations of the version before go on to their end.
"""

import io
import json
import sys
import zipfile
from pathlib import Path

import boto3
from botocore.config import Config

sys.path.insert(0, str(Path(__file__).parents[2] / "crates/local/python"))
from deploy import BUCKET, bootstrap_zip  # noqa: E402


def main():
    stack, binaries, release, *functions = sys.argv[1:]
    stack = json.loads(Path(stack).read_text())
    session = boto3.Session(stack["accessKey"], stack["secretKey"], region_name=stack["region"])
    settings = {"endpoint_url": stack["endpoint"], "config": Config(s3={"addressing_style": "path"})}
    s3, aws_lambda = session.client("s3", **settings), session.client("lambda", **settings)
    for function in functions:
        name, key = f"{stack['env']}-sqs-browser-{function}", f"{function}-{release}.zip"
        s3.put_object(Bucket=BUCKET, Key=key, Body=marked_zip(Path(binaries) / function, release))
        aws_lambda.update_function_code(FunctionName=name, S3Bucket=BUCKET, S3Key=key)
        aws_lambda.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        version = aws_lambda.publish_version(FunctionName=name)["Version"]
        aws_lambda.update_alias(FunctionName=name, Name="live", FunctionVersion=version)
        print(version)


def marked_zip(binary, release):
    """The function's code with the name of its release, so that equal binaries are two releases too."""
    buffer = io.BytesIO(bootstrap_zip(binary))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("release", release)
    return buffer.getvalue()


if __name__ == "__main__":
    main()
