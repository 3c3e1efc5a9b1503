#!/bin/sh
# embed_minimal_html leaves out the code of an anywidget, by default.
#
# On the way: ipywidgets writes a page of its own for a widget; drop_defaults=True, the default, leaves
#             out traits that have their default value. The code of an anywidget is the default of a
#             trait of its class.
# Expected:   a page that draws the widget, as with ipywidgets' own widgets.
# Seen:       the page has no code and stays empty; with drop_defaults=False it has it.
# Versions:   ipywidgets 8.1.9, anywidget 0.11.0.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip --quiet --disable-pip-version-check install \
    ipywidgets==8.1.9 anywidget==0.11.0 || exit 2

cat >finding.py <<'EOF'
from pathlib import Path

import anywidget
from ipywidgets.embed import embed_minimal_html


class Drawn(anywidget.AnyWidget):
    _esm = "export default { render({ el }) { el.textContent = 'I am drawn' } }"


widget = Drawn()
for options in ({}, {"drop_defaults": False}):
    embed_minimal_html("page.html", views=[widget], **options)
    print(options, "I am drawn" in Path("page.html").read_text())
EOF

cat >expected <<'EOF'
{} False
{'drop_defaults': False} True
EOF

venv/bin/python finding.py >seen
diff expected seen || { echo "not as it was found any more: see the difference above"; exit 1; }
cat seen
