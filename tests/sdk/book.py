"""The book's examples in Python and Node run as they stand on its page."""

import os
import re
import subprocess
import sys
from pathlib import Path

from house import sdks
from house.story import same, step, tell

OWNER = ("owner@example.com", "correct horse battery")
PAGE = Path(__file__).parents[2] / "docs/guide/sdks.md"


def story(server):
    account = server.account("acme", *OWNER)
    key = server.access_key("acme")
    environment = {
        **os.environ,
        "COUNTERSIGN_API": server.api,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": key[0],
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": key[1],
    }
    with step("Use it with the SDKs: Python"):
        # The later ones go on with what the first one made.
        example = "".join(re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.M | re.S))
        ran = subprocess.run([sys.executable, "-B", "-c", example], env=environment, capture_output=True, text=True)
        same((ran.returncode, ran.stderr), (0, ""))
        same(ran.stdout.split("\n"), [f"acs:ram::{account}:mfa/alice-phone", "EntityNotExist.User.MFADevice 404", ""])
        ram = sdks.ram(server.api, key)
        same(ram("GetUser", UserName="alice")["User"]["DisplayName"], "Alice")
        made = ram("CreateAccessKey", UserName="alice")["AccessKey"]
        alice = sdks.ram(server.api, (made["AccessKeyId"], made["AccessKeySecret"]))
        same([user["UserName"] for user in alice("ListUsers")["Users"]["User"]], ["alice"])
    with step("Use it with the SDKs: Node"):
        (example,) = re.findall(r"^```js\n(.*?)^```", PAGE.read_text(), re.M | re.S)
        # Its packages lie beside this file.
        node = ["node", "--input-type=commonjs", "--eval", example]
        ran = subprocess.run(node, cwd=Path(__file__).parent, env=environment, capture_output=True, text=True)
        same((ran.returncode, ran.stderr, ran.stdout), (0, "", "alice\n"))
        environment["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] = "another secret"
        ran = subprocess.run(node, cwd=Path(__file__).parent, env=environment, capture_output=True, text=True)
        same((ran.returncode, ran.stderr.split(" ")[0], ran.stdout), (1, "SignatureDoesNotMatch", ""))


tell(story)
