"""The backend by the name that Django looks for."""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, but for how it finds out at each request that its connection is still alive."""

    def is_usable(self) -> bool:
        """Whether the server is at the other end.

        A server that ends, or whose machine says that it is gone, leaves something to be read on
        an idle connection. Where nothing is, the round trip that Django makes with every request
        would tell no more.
        """
        if self.connection is None or self.connection.closed:
            return False
        waiting = select.poll()
        waiting.register(self.connection.fileno(), select.POLLIN)
        return bool(super().is_usable()) if waiting.poll(0) else True
