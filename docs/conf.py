"""How the documentation is built; ./tally test builds it with every warning an error."""

from tallystick import __version__

project = "Tallystick"
author = "The Tallystick authors"
copyright = "The Tallystick authors"
version = release = __version__

extensions = ["myst_parser"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = "Tallystick"
html_show_sphinx = False
nitpicky = True
exclude_patterns = ["_build"]
