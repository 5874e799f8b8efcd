"""The application in a worker process of ``tally serve``."""

import gc
import os
import signal
import threading
import time
from importlib import import_module

# Loading takes seconds, and the handler inherited from the server would swallow a request to end.
signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _end_with(parent: int) -> None:
    """End this worker once the server that started it is gone, even killed.

    Nobody else would: it would keep the port, and the embedded database's lease.
    """
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


# The server says who it is: it may be gone before this worker has loaded.
_server = int(os.environ["TALLY_SERVER_PID"])
threading.Thread(target=_end_with, args=(_server,), daemon=True).start()

application = import_module("tallystick.site.wsgi").application
# As settings.ROOT_URLCONF; the first request would wait for all that it imports.
import_module("tallystick.faces.urls")
import_module("tallystick.faces.charts").load()
# What has been loaded stays. A collection that looked through all of it now and then would hold
# up whichever request it meets, by 150 ms.
gc.freeze()
