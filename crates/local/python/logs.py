"""Follows the logs of the local system's functions. Usage: logs.py stack.json [--once]"""

import json
import sys
import time
from pathlib import Path

import boto3

PERIOD_SECONDS = 0.5


def main():
    stack = json.loads(Path(sys.argv[1]).read_text())
    logs = boto3.client(
        "logs",
        endpoint_url=stack["endpoint"],
        region_name=stack["region"],
        aws_access_key_id=stack["accessKey"],
        aws_secret_access_key=stack["secretKey"],
    )
    prefix = f"/aws/lambda/{stack['env']}-sqs-browser-"
    seen = set()
    while True:
        for group in logs.describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]:
            name = group["logGroupName"]
            for page in logs.get_paginator("filter_log_events").paginate(logGroupName=name):
                for event in page["events"]:
                    # Two equal lines of one stream in one millisecond are shown as one.
                    key = (event["logStreamName"], event["timestamp"], event["message"])
                    if key not in seen:
                        seen.add(key)
                        print(f"{name.removeprefix(prefix):26} {event['message'].rstrip()}", flush=True)
        if "--once" in sys.argv:
            return
        time.sleep(PERIOD_SECONDS)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
