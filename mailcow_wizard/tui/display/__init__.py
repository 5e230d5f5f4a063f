"""Between Textual and the terminal: of what Textual draws, only the cells that changed are written.

`screen` reads Textual's output and keeps what should be shown, `painter` keeps what is shown and writes the
difference, `pens` knows how cells are styled, `moves` how the cursor gets somewhere, and `driver` is the part
that Textual knows. None of them knows the wizard.
"""
