# SPDX-License-Identifier: Apache-2.0
"""Draws what a program printed on a terminal as an SVG picture, for the README.

    script -qec 'xylem run FILE' typescript >/dev/null
    python3 tests/docs/terminal_svg.py --command 'xylem run FILE' typescript docs/pictures/run.svg

Understands carriage return, erase line, bold, dim and the eight colours; Python's standard library
only.
"""
import argparse
import html
import re

COLOURS = {30: "#3b4252", 31: "#e06c75", 32: "#98c379", 33: "#e5c07b", 34: "#61afef",
           35: "#c678dd", 36: "#56b6c2", 37: "#dcdfe4"}
PLAIN = ("", False, False)  # colour, bold, dim
WIDTH, HEIGHT, MARGIN, BAR = 8.43, 19, 16, 30
ESCAPE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])")


def style_after(style, codes):
    colour, bold, dim = style
    for code in codes.split(";"):
        number = int(code or 0)
        if number == 0:
            colour, bold, dim = PLAIN
        elif number == 1:
            bold = True
        elif number == 2:
            dim = True
        elif number in COLOURS:
            colour = COLOURS[number]
    return colour, bold, dim


def screen(text):
    """The lines that remain on the terminal: each a list of (character, style)."""
    lines, line, at, style, i = [], [], 0, PLAIN, 0
    while i < len(text):
        escape = ESCAPE.match(text, i)
        if escape:
            if escape.group(2) == "m":
                style = style_after(style, escape.group(1))
            elif escape.group(2) == "K":
                del line[at:]
            i = escape.end()
            continue
        if text[i] == "\n":
            lines.append(line)
            line, at = [], 0
        elif text[i] == "\r":
            at = 0
        else:
            line[at:at + 1] = [(text[i], style)]
            at += 1
        i += 1
    if line:
        lines.append(line)
    return lines


def spans(line):
    """A line as (column, text, style) for each run of one style; blanks at its end are left out."""
    found = []
    for column, (character, style) in enumerate(line):
        if found and found[-1][2] == style:
            found[-1][1] += character
        else:
            found.append([column, character, style])
    return [(column, text, style) for column, text, style in found if text.strip()]


def draw_span(column, text, style, row):
    colour, bold, dim = style
    looks = f' fill="{colour}"' if colour else ""
    looks += ' font-weight="bold"' if bold else ""
    looks += ' opacity="0.6"' if dim else ""
    x, y = MARGIN + column * WIDTH, BAR + MARGIN + row * HEIGHT + 4
    return (f'<text x="{x:.2f}" y="{y}" textLength="{len(text) * WIDTH:.2f}" '
            f'xml:space="preserve"{looks}>{html.escape(text, quote=False)}</text>')


def draw(lines, title):
    columns = max([len(line) for line in lines] + [60])
    width, height = MARGIN * 2 + columns * WIDTH, BAR + MARGIN * 1.5 + len(lines) * HEIGHT
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
             f'viewBox="0 0 {width:.0f} {height:.0f}" role="img">',
             f"<title>{html.escape(title)}</title>",
             '<rect width="100%" height="100%" rx="8" fill="#1e2127"/>']
    for place, colour in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        parts.append(f'<circle cx="{20 + place * 20}" cy="17" r="6" fill="{colour}"/>')
    parts.append('<g font-family="DejaVu Sans Mono,Menlo,Consolas,monospace" font-size="14" '
                 'fill="#dcdfe4">')
    for row, line in enumerate(lines):
        parts += [draw_span(*span, row) for span in spans(line)]
    return "\n".join(parts + ["</g>", "</svg>"]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--command", help="shown behind a prompt in the first line")
    parser.add_argument("text", help="what was printed, with its escapes")
    parser.add_argument("picture")
    words = parser.parse_args()
    with open(words.text, encoding="utf-8", newline="") as file:
        text = "".join(line for line in file.read().splitlines(keepends=True)
                       if not line.startswith(("Script started", "Script done")))
    lines = screen(text)
    while lines and not lines[-1]:
        lines.pop()
    if words.command:
        prompt = [("$", (COLOURS[32], True, False)), (" ", PLAIN)]
        lines.insert(0, prompt + [(letter, (("", True, False))) for letter in words.command])
    with open(words.picture, "w", encoding="utf-8") as file:
        file.write(draw(lines, f"What `{words.command or words.text}` prints"))


if __name__ == "__main__":
    main()
