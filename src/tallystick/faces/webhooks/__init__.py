"""Messages to other people's servers: sent, signed, and bounded in all that they may cost."""
