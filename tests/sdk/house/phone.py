"""An authenticator app: a camera (`zbarimg`) and a clock (`pyotp`)."""

import base64
import subprocess
import time

import pyotp

STEP = 30
# So much time a request may take without its code getting old on the way.
ROOM = 8


class Phone:
    """Holds one key."""

    def __init__(self, uri):
        self._totp = pyotp.parse_uri(uri)
        self.key = self._totp.secret
        self.issuer, self.account = self._totp.issuer, self._totp.name

    @classmethod
    def scan(cls, png):
        """Scans a QR code: a PNG in base64."""
        scanned = subprocess.run(
            ["zbarimg", "--quiet", "--raw", "-"],
            input=base64.b64decode(png, validate=True),
            capture_output=True,
            check=True,
        )
        return cls(scanned.stdout.decode().strip())

    @classmethod
    def typed(cls, key):
        """Takes a key that was typed in."""
        return cls(f"otpauth://totp/typed?secret={key.replace(' ', '')}")

    def two_codes(self):
        """Two consecutive codes, the second of the present step."""
        self._wait_for_room()
        return self._code(-1), self._code(0)

    def code(self):
        """The code of the present step."""
        self._wait_for_room()
        return self._code(0)

    def next_code(self):
        """The code of the next step, for when the present one is spent: clocks may differ by a step."""
        self._wait_for_room()
        return self._code(1)

    def wrong_codes(self):
        """Two codes that are those of no step near the present one."""
        near = {self._code(steps) for steps in range(-3, 4)}
        wrong = [
            code
            for code in ("000000", "111111", "222222", "333333", "444444", "555555", "666666", "777777", "888888")
            if code not in near
        ]
        return wrong[0], wrong[1]

    def _code(self, steps):
        return self._totp.at(int(time.time()) + steps * STEP)

    @staticmethod
    def _wait_for_room():
        left = STEP - time.time() % STEP
        if left < ROOM:
            time.sleep(left)
