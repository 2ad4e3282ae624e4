"""Prints as JSON which permissions CloudFormation's handlers of resource types need, by what AWS's schemas of them say.
Usage: handlers.py TYPE...
"""

import json
import sys

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from roles import REGION


def main():
    handlers = {}
    for name in sys.argv[1:]:
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, name).schema
        handlers[name] = {verb: of["permissions"] for verb, of in schema.get("handlers", {}).items()}
    json.dump(handlers, sys.stdout)


if __name__ == "__main__":
    main()
