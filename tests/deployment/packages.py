"""Makes a bucket that keeps what is deleted, or counts what is in it by folder. Usage: packages.py make|count BUCKET"""

import collections
import json
import sys
from concurrent.futures import ThreadPoolExecutor

import boto3

s3 = boto3.client("s3")
what, bucket = sys.argv[1:]


def put_and_delete(key):
    s3.put_object(Bucket=bucket, Key=key, Body=b"")
    s3.delete_object(Bucket=bucket, Key=key)


def make():
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    # Keys as long as S3 allows at most, with what has to be quoted.
    keys = [f"prod-sqs-browser-events/{'x' * 900} 'é\"/{number}" for number in range(600)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(put_and_delete, [*keys, "prod-sqs-browser-events-2/a", "other/a"]))


if what == "make":
    make()
folders = collections.Counter()
for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
    folders.update(of["Key"].split("/")[0] for of in page.get("Versions", []) + page.get("DeleteMarkers", []))
print(json.dumps(folders))
