"""What goes over the wire: a listener that passes each request on and keeps it, byte by byte."""

import socket
import threading
from email.parser import BytesHeaderParser


class Wire:
    """Stands before the server's API. Point an SDK at `api`."""

    def __init__(self, api):
        self._to = tuple(api.rsplit(":", 1))
        self.requests = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.api = "127.0.0.1:%d" % self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def send(self, request):
        """Sends a request as it is. Gives status, headers and body of the answer."""
        head, _, body = self._exchange(request).partition(b"\r\n\r\n")
        status, _, headers = head.partition(b"\r\n")
        return int(status.split()[1]), BytesHeaderParser().parsebytes(headers), body

    def close(self):
        self._listener.close()

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(connection,), daemon=True).start()

    def _pass_on(self, connection):
        with connection:
            while request := read(connection):
                self.requests.append(request)
                connection.sendall(self._exchange(request))

    def _exchange(self, request):
        with socket.create_connection(self._to, timeout=60) as server:
            server.sendall(request)
            return read(server)


def read(connection):
    """One message: its head, and as much of a body as the head says."""
    message = b""
    while b"\r\n\r\n" not in message:
        part = connection.recv(65536)
        if not part:
            return b""
        message += part
    head, _, body = message.partition(b"\r\n\r\n")
    length = BytesHeaderParser().parsebytes(head.partition(b"\r\n")[2]).get("content-length", "0")
    while len(body) < int(length):
        part = connection.recv(65536)
        if not part:
            break
        body += part
    return head + b"\r\n\r\n" + body
