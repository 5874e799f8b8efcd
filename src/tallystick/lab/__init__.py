"""Ask what if: simulated world and replays, in databases of their own."""
