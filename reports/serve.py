"""Serves a folder to the browsers of this machine, and to no other, until Ctrl-C.

usage: serve.py --folder=FOLDER [--port=8000]
"""

import argparse
import functools
import http.server
import signal
import sys

HOST = "127.0.0.1"


class Handler(http.server.SimpleHTTPRequestHandler):
    """Without a line on the terminal for each request."""

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True  # an open connection does not hold up the end


def port_number(text):
    port = int(text)
    if not 0 <= port < 65536:
        raise ValueError
    return port


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--folder", required=True)
    parser.add_argument("--port", default="8000")
    args = parser.parse_args()
    try:
        server = Server((HOST, port_number(args.port)), functools.partial(Handler, directory=args.folder))
    except ValueError:
        print("error: --port=%s: give a number from 0 (any free port) to 65535" % args.port, file=sys.stderr)
        return 2
    except OSError as error:
        print("error: --port=%s: %s; give another port" % (args.port, error.strerror), file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print("http://%s:%d/ (Ctrl-C ends it)" % server.server_address, flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
