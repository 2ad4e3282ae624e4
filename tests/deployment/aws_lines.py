"""Prints what the AWS CLI has to say against the `aws` commands of a Markdown text on standard input, as JSON: each command
with its error, or null. The CLI parses them and checks the parameters; nothing is called.
"""

import argparse
import contextlib
import io
import json
import re
import shlex
import sys
from pathlib import Path

from awscli import clidriver
from awscli.customizations.cloudformation.deploy import DeployCommand
from awscli.customizations.waiters import WaiterCaller
from botocore.validate import ParamValidator

# An option that is cut short is not taken for a whole one, as version 2 of the CLI does not.
argparse.ArgumentParser._get_option_tuples = lambda *_: []
# Only version 2 of the CLI has them, and this is version 1.
NEWER = {"logs tail": {"--since", "--follow", "--format", "--filter-pattern"}}


def commands(markdown):
    """Each command in a block of shell, in a comment or a substitution too, or alone between backticks."""
    for block in re.findall(r"^```sh\n(.*?)^```", markdown, re.M | re.S):
        block = block.replace("\\\n", " ")
        for start in re.finditer(r"(?<![\w/.`-])aws (?=[a-z])", block):
            yield words(block[start.start() :])
    for span in re.findall(r"(?<!`)`(aws [a-z][^`]*)`(?!`)", markdown):
        if len(span.split()) > 2:
            yield words(" ".join(span.split()))


def words(text):
    """The words of the command with which a text begins; variables and substitutions have some value."""
    text = re.sub(r"\$\([^()]*\)|\$\{?[a-z]\w*\}?", "1", text)
    lexer = shlex.shlex(text, posix=True, punctuation_chars="();<>|&\n")
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
    found = []
    for word in lexer:
        if word.startswith("#") or set(word) <= set("();<>|&\n"):
            break
        found.append(word)
    return found


def error(words):
    name, options = " ".join(words[1:3]), [word for word in words if word.startswith("--")]
    if name in NEWER:
        unknown = set(options) - NEWER[name]
        return f"{name} has no {', '.join(unknown)}" if unknown else None
    files = [word for word in words if word.startswith("file://") and not Path(word[7:]).exists()]
    words = ["{}" if word in files else word for word in words]
    if "--endpoint-url" in words:
        words[words.index("--endpoint-url") + 1] = "http://localhost"
    driver = clidriver.create_clidriver()

    def check(caller, service, operation, parameters, parsed_globals):
        shape = driver.session.get_service_model(service).operation_model(operation).input_shape
        report = ParamValidator().validate(parameters, shape).generate_report().splitlines()
        # What stands for a key, such as OLD, is shorter than one.
        report = [line for line in report if not line.startswith("Invalid length")]
        if report and not files:
            raise ValueError("; ".join(report))
        return 0

    clidriver.CLIOperationCaller.invoke = check
    WaiterCaller.invoke = lambda *_: 0
    DeployCommand._run_main = lambda *_: 0
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        try:
            code = driver.main(words[1:])
        except SystemExit as end:
            code = end.code
    return said.getvalue().split("error: ")[-1].strip() if code else None


print(json.dumps([{"command": shlex.join(found), "error": error(found)} for found in commands(sys.stdin.read())]))
