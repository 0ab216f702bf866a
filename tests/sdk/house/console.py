"""The console as a browser without script sees it: pages, links, forms, cookies."""

import http.client
import re
from html import unescape
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

REDIRECTS = 10


class Console:
    """One browser."""

    def __init__(self, url):
        self._url = url
        # The name in the URL may be found at ::1 first, where nobody listens.
        self._port = urlsplit(url).port
        self._cookies = {}
        self.path, self.status, self.body = "/", 0, ""

    def go(self, path):
        """Opens a page and follows where it leads. Gives the path of the page that came."""
        return self._walk("GET", path, None)

    def send(self, path, **fields):
        """Sends a form, and follows where it leads."""
        return self._walk("POST", path, fields)

    def say_password(self, name, password):
        """Name and password. Gives the path of the page that came, which is the one that the policy says."""
        self.go("/")
        owner = not name.endswith(".local")
        self.send("/logon", **{"as": "owner" if owner else "ram-user"}, name=name)
        if self.path != "/logon/password":
            raise AssertionError(f"{name} came to {self.path}: {self.text}")
        return self.send("/logon/password", password=password)

    @property
    def text(self):
        """What a person reads."""
        return unescape(" ".join(re.sub(r"<[^>]*>", " ", self.body).split()))

    def value_of(self, id):
        """What the element of this id is for a program: its `data-value`."""
        found = re.search(rf'id="{id}" data-value="([^"]*)"', self.body)
        if not found:
            raise AssertionError(f"{self.path} has no #{id}: {self.text}")
        return unescape(found[1])

    def _walk(self, method, path, fields):
        for _ in range(REDIRECTS):
            to = self._ask(method, path, fields)
            if to is None:
                self.path = urlsplit(path).path
                return self.path
            method, path, fields = "GET", to, None
        raise AssertionError(f"{path} leads nowhere")

    def _ask(self, method, path, fields):
        headers = {
            "Host": urlsplit(self._url).netloc,
            "Accept-Language": "en",
            "User-Agent": "a browser without script",
        }
        if self._cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        body = None
        if fields is not None:
            headers |= {"Origin": self._url, "Content-Type": "application/x-www-form-urlencoded"}
            body = urlencode(fields)
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        self.status, self.body = answer.status, answer.read().decode()
        connection.close()
        for line in answer.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0" or not morsel.value:
                    self._cookies.pop(name, None)
                else:
                    self._cookies[name] = morsel.value
        return answer.headers["Location"] if answer.status == 303 else None
