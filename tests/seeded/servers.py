"""Local servers that fail in a known way: HTTP answers by path, a socket that resets, one that never
answers, one with an expired and one with a self-signed certificate, a git server that breaks off."""
import contextlib
import http.server
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time


class Answers(http.server.BaseHTTPRequestHandler):
    """/<code>/... answers with that code, /hang/... never."""

    def do_GET(self):
        first = self.path.split("/")[1].split("?")[0]
        if first == "hang":
            time.sleep(30)
        code = int(first) if first.isdigit() else 404
        body = b"<html>no</html>\n"
        self.send_response(code)
        if code == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="GitLab"')
        if code == 200:
            body = b"these bytes are not what you expect\n"
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    do_POST = do_PUT = do_HEAD = do_GET

    def log_message(self, *_):
        pass


def _port_of(server):
    return str(server.getsockname()[1])


def _listen(on_accept, stop):
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.2)

    def loop():
        held = []
        while not stop.is_set():
            try:
                connection = server.accept()[0]
            except OSError:
                continue
            held.append(connection)
            with contextlib.suppress(OSError):
                on_accept(connection)
        server.close()

    threading.Thread(target=loop, daemon=True).start()
    return _port_of(server)


def _reset(connection):
    connection.recv(1024)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


CA = """[ca]
default_ca = d
[d]
database = {folder}/index.txt
new_certs_dir = {folder}
serial = {folder}/serial
default_md = sha256
policy = p
x509_extensions = e
[p]
commonName = supplied
[e]
subjectAltName = DNS:localhost,IP:127.0.0.1
"""


def _certificate(folder, name, end):
    """A self-signed certificate for localhost, valid until `end` (openssl's YYYYMMDDHHMMSSZ)."""
    base = folder + "/" + name
    for file, text in (("ca.cnf", CA.format(folder=folder)), ("index.txt", ""), ("serial", "01\n")):
        with open(folder + "/" + file, "w") as out:
            out.write(text)
    for command in (["req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", base + ".key", "-out", base + ".csr",
                     "-subj", "/CN=localhost"],
                    ["ca", "-selfsign", "-batch", "-notext", "-config", folder + "/ca.cnf", "-keyfile", base + ".key",
                     "-in", base + ".csr", "-out", base + ".crt", "-startdate", "20200101000000Z", "-enddate", end]):
        subprocess.run(["openssl"] + command, check=True, capture_output=True)
    return base + ".crt", base + ".key"


def _tls(folder, name, end, stop):
    cert, key = _certificate(folder, name, end)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)

    def serve(connection):
        with contextlib.suppress(OSError, ssl.SSLError):
            context.wrap_socket(connection, server_side=True).close()

    return _listen(serve, stop), cert


@contextlib.contextmanager
def running():
    """Places for the scripts: @HTTP@, @RESET@, @HANG@, @CLOSED@ (host:port), @EXPIRED@, @SELFSIGNED@."""
    stop = threading.Event()
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    web.daemon_threads = True
    threading.Thread(target=web.serve_forever, daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as closed:
        closed_port = _port_of(closed)
    with tempfile.TemporaryDirectory() as folder:
        expired, expired_cert = _tls(folder, "expired", "20200201000000Z", stop)
        yield {"http": "127.0.0.1:%d" % web.server_port, "reset": "127.0.0.1:" + _listen(_reset, stop),
               "hang": "127.0.0.1:" + _listen(lambda c: None, stop), "closed": "127.0.0.1:" + closed_port,
               "expired": "localhost:" + expired, "expiredcert": expired_cert,
               "selfsigned": "localhost:" + _tls(folder, "self", "20991231000000Z", stop)[0]}
    stop.set()
    web.shutdown()
