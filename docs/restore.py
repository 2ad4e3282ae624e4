# Copies what a table lacks from a restored one: what was written since stays as it is. Needs boto3.
# Usage: python restore.py RESTORED TABLE        (AWS's usual variables say where: AWS_PROFILE, AWS_REGION, ...)
# Stopped half way, it is called again. Items whose `ttl` has passed are left out.
import sys
import time

import boto3
from botocore.config import Config

restored, table = sys.argv[1:]
dynamodb = boto3.client("dynamodb", config=Config(retries={"mode": "adaptive", "max_attempts": 20}))
keys = [key["AttributeName"] for key in dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]]
names = {f"#{index}": name for index, name in enumerate(keys)}
is_absent = " AND ".join(f"attribute_not_exists({name})" for name in names)
copied = there = ended = 0
for page in dynamodb.get_paginator("scan").paginate(TableName=restored, ConsistentRead=True):
    for item in page["Items"]:
        if int(item["ttl"]["N"]) <= time.time():
            ended += 1
            continue
        try:
            dynamodb.put_item(
                TableName=table, Item=item, ConditionExpression=is_absent, ExpressionAttributeNames=names
            )
            copied += 1
        except dynamodb.exceptions.ConditionalCheckFailedException:
            there += 1
    print(f"{copied} copied, {there} were there, {ended} had ended", file=sys.stderr)
print(f"{copied} copied, {there} were there, {ended} had ended")
