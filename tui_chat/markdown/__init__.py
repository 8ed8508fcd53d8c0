"""Markdown that grows by the token, as rows of a terminal.

    document = Document()
    layout = Layout(document, 80, Palette.from_theme(app.theme_variables))
    document.append("Some *Mark")
    layout.height, layout.strip(0), layout.take_changed()

There is one engine for the live reply and the finished one: a unit (`units`) settles as soon as its source is
complete, and what is not settled is read on trial. `blocks` reads lines, `inline` text, `code` code, `maths`
formulas, which `atoms` sets; `growing` tells what an open end will be; `draw` makes rows, `layout` keeps them.
"""
