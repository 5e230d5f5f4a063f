"""An engine of paper, for packages that are made here: it says which it is, and has no containers."""

PAPER_ENGINE = """#!/usr/bin/python3
import json, os, socketserver, sys
if sys.argv[1:]:
    sys.exit(print("Docker version VERSION, build x"))
said = {"/version": {"Version": "VERSION", "ApiVersion": "1.45"}, "/info": {"ServerVersion": "VERSION"}}
class Answer(socketserver.StreamRequestHandler):
    def handle(self):
        target = self.rfile.readline().split()[1].decode()
        body = json.dumps(said.get(target, [])).encode()
        self.wfile.write(b"HTTP/1.0 200 OK\\r\\n\\r\\n" + body)
if os.path.exists("/run/docker.sock"):
    os.remove("/run/docker.sock")
socketserver.ThreadingUnixStreamServer("/run/docker.sock", Answer).serve_forever()
"""
