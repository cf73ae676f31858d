"""HTML of the simulator, in a plain look that is no brand's."""

from html import escape
from string import Template

STYLE = """
:root { color-scheme: light dark; --line: light-dark(#d5d9de, #3a4048); --ink: light-dark(#1d2329, #e8ecf0);
  --soft: light-dark(#5b6670, #a3adb7); --ground: light-dark(#f3f4f6, #14171a); --paper: light-dark(#fff, #1c2024); }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); }
header.bar { display: flex; gap: 1rem; align-items: center; flex-wrap: wrap; padding: .6rem 1rem;
  background: #20262c; color: #fff; }
header.bar a { color: #fff; } header.bar button { color: #fff; background: none; border-color: #5b6670; } header.bar .grow { flex: 1; }
main.card { max-width: 44rem; margin: 2rem auto; padding: 1.5rem; background: var(--paper);
  border: 1px solid var(--line); border-radius: .5rem; }
h1 { font-size: 1.25rem; margin: 0 0 .5rem; } p { margin: .4rem 0 .8rem; } .soft { color: var(--soft); }
button, .button { font: inherit; padding: .5rem .9rem; border: 1px solid var(--line); border-radius: .4rem;
  background: var(--paper); color: inherit; cursor: pointer; text-decoration: none; display: inline-block; }
button.primary, .button.primary { background: #2b5c8a; border-color: #2b5c8a; color: #fff; }
ul.plain { list-style: none; padding: 0; } ul.plain > li { padding: .35rem 0; }
label.row { display: flex; gap: .5rem; padding: .2rem 0; }
iframe { border: 0; width: 100%; height: 100%; display: block; background: var(--paper); }
.stage { height: calc(100vh - 3.4rem); } .split { display: grid; grid-template-columns: 1fr 400px;
  height: calc(100vh - 3.4rem); } .split > div { padding: 1rem; overflow: auto; }
@media (max-width: 60rem) { .split { grid-template-columns: 1fr; } .split > div { display: none; } }
.split iframe { border-inline-start: 1px solid var(--line); }
"""

_PAGE = Template("""<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>$title</title>
<style>$style</style></head><body>$body</body></html>""")


def page(title: str, body: str) -> str:
    """`body` is trusted markup; callers escape whatever comes from outside."""
    return _PAGE.substitute(title=escape(title), style=STYLE, body=body)
