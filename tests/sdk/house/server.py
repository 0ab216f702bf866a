"""The real binary, on a folder and ports of its own, and the operator's commands beside it."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time

READY = "Stop it with Ctrl-C."
START_SECONDS = 60
STOP_SECONDS = 30


class Server:
    """A running `countersign serve`, on SQLite or on the PostgreSQL at a URL."""

    def __init__(self, binary, database=None):
        self._binary = binary
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("COUNTERSIGN")}
        if database:
            self._environment["COUNTERSIGN_DATABASE"] = database
        self._folder = tempfile.mkdtemp(prefix="countersign-sdk-")
        self._log = tempfile.TemporaryFile(dir=self._folder)
        addresses = [f"--{name}=127.0.0.1:0" for name in ("listen", "api-listen", "ops-listen")]
        self._process = subprocess.Popen(
            [binary, "serve", "--data", self._data, *addresses],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        try:
            greeting = self._greeting()
            self.pages = re.search(r"Pages +(http://\S+)", greeting)[1]
            self.api = re.search(r"RAM API +(?:http://)?([^\s/]+)", greeting)[1]
            # On SQLite it refuses what was signed up to the second of its start.
            time.sleep(1.1)
        except BaseException:
            self.stop(show_log=True)
            raise

    @property
    def _data(self):
        return os.path.join(self._folder, "data")

    def account(self, alias, owner, password):
        """Makes an account. Gives its id."""
        made = self._operate("account", "create", "--alias", alias, "--owner", owner, "--password-stdin", told=password)
        return made["account_id"]

    def access_key(self, alias, user=None):
        """Makes an AccessKey of the owner, or of a user. Gives id and secret."""
        made = self._operate("access-key", "create", "--account", alias, *(["--user", user] if user else []))
        return made["access_key_id"], made["access_key_secret"]

    def stop(self, show_log):
        """Stops it as a service manager does. Whether it ended well."""
        self._process.terminate()
        try:
            status = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        if status != 0:
            print(f"the server ended with {status}")
        if show_log or status != 0:
            self._log.seek(0)
            print(self._log.read().decode(errors="replace")[-8000:])
        self._log.close()
        shutil.rmtree(self._folder)
        return status == 0

    def _operate(self, *command, told=""):
        done = subprocess.run(
            [self._binary, *command, "--json", "--data", self._data],
            env=self._environment,
            input=told,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
        )
        if done.returncode != 0:
            raise RuntimeError(f"countersign {' '.join(command)}: {done.stderr}")
        return json.loads(done.stdout)

    def _greeting(self):
        alarm = threading.Timer(START_SECONDS, self._process.kill)
        alarm.start()
        lines = []
        for line in self._process.stdout:
            lines.append(line)
            if READY in line:
                alarm.cancel()
                return "".join(lines)
        alarm.cancel()
        self._log.seek(0)
        said = "".join(lines) + self._log.read().decode(errors="replace")
        raise RuntimeError(f"the server did not start; it said:\n{said}")
