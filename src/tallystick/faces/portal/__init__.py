"""The portals: pages for suppliers, the house and its auditors. Nothing is decided here."""
