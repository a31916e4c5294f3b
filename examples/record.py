#!/usr/bin/env python3
"""record.py ZELL OUT.svg: types the first five minutes of the README into a terminal, and draws what comes back.

Nothing is made up: each command runs in a pseudo-terminal, in a scratch home that is removed, and the picture shows its screen as
it was at each moment. Only waits of over a second are shortened. Needs pyte (Debian: python3-pyte), a terminal emulator.
"""

import codecs
import fcntl
import os
import pty
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time
from xml.sax.saxutils import escape

import pyte

COLUMNS, ROWS = 84, 32
CELL_WIDTH, CELL_HEIGHT, MARGIN = 8.4, 18, 14
TYPING_S, READING_S, LONGEST_WAIT_S, LAST_S = 0.035, 1.4, 1.0, 5.0
PATIENCE_S = 120

COMMANDS = [
    "zell up",
    "zell submit hello",
    r"printf 'a\nb\n' | zell submit --lines -",
    "zell log --tail 2",
    "zell node kill leader",
    "zell status",
    "zell submit 'still here'",
    "zell node start n1",
    "zell challenge --by n3,n4",
    "zell verify",
    "zell down",
]
GOOD_CODES = {"zell status": (0, 1)}  # a degraded cluster is a negative answer

COLORS = {"default": "#d8dee9", "black": "#7f8796", "red": "#e06c75", "green": "#98c379", "brown": "#e5c07b", "blue": "#61afef",
          "magenta": "#c678dd", "cyan": "#56b6c2", "white": "#eceff4", "brightblack": "#7f8796"}
BACKGROUND, BOLD = "#1e222a", ' font-weight="bold"'


class Recording:
    """The screen, and what it looked like when."""

    def __init__(self):
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self.stream = pyte.Stream(self.screen)
        self.frames = []  # (seconds, rows)
        self.now = 0.0

    def feed(self, text):
        # pyte knows no faint text: grey says the same.
        self.stream.feed(text.replace("\x1b[2m", "\x1b[90m"))

    def pass_time(self, seconds):
        self.now += min(seconds, LONGEST_WAIT_S)

    def keep(self):
        rows = tuple(self.row(y) for y in range(ROWS))
        if not self.frames or self.frames[-1][1] != rows:
            self.frames.append((self.now, rows))

    def row(self, y):
        """Runs of equal looks: ((text, color, bold), ...)."""
        runs, line = [], self.screen.buffer[y]
        width = max((x + 1 for x in range(COLUMNS) if line[x].data.strip()), default=0)
        for x in range(width):
            char = line[x]
            looks = (char.fg, char.bold)
            if runs and runs[-1][1] == looks:
                runs[-1][0].append(char.data)
            else:
                runs.append(([char.data], looks))
        return tuple(("".join(text), *looks) for text, looks in runs)


def type_in(recording, command):
    recording.feed(("\r\n" if recording.frames else "") + "\x1b[1;32m$\x1b[0m ")
    recording.keep()
    recording.pass_time(0.5)
    for char in command:
        recording.feed(char)
        recording.now += TYPING_S
        recording.keep()
    recording.pass_time(0.3)
    recording.feed("\r\n")


def run(recording, command, env, folder):
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.chdir(folder)
        os.execve("/bin/sh", ["sh", "-c", command], env)
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    last, began = time.monotonic(), time.monotonic()
    while time.monotonic() - began < PATIENCE_S:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            data = os.read(terminal, 65536)
        except OSError:  # the other side is closed
            break
        if not data:
            break
        recording.pass_time(time.monotonic() - last)
        last = time.monotonic()
        recording.feed(decoder.decode(data))
        recording.keep()
    os.close(terminal)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code not in GOOD_CODES.get(command, (0,)):
        raise SystemExit(f"record: {command}: exit {code}\n" + "\n".join(recording.screen.display))


def draw(recording):
    """One picture a frame, one below the other, behind a window that jumps from each to the next."""
    rows, names = [], {}
    for _, frame in recording.frames:
        for row in frame:
            if row and row not in names:
                names[row] = f"r{len(names)}"
                rows.append(f'<g id="{names[row]}">{draw_row(row)}</g>')
    width, height = COLUMNS * CELL_WIDTH + 2 * MARGIN, ROWS * CELL_HEIGHT + 2 * MARGIN
    total = recording.now + LAST_S
    steps, frames = [], []
    for k, (seconds, frame) in enumerate(recording.frames):
        steps.append(f"{100 * seconds / total:.3f}%{{transform:translateY(-{k * height:g}px)}}")
        uses = "".join(f'<use href="#{names[row]}" y="{y * CELL_HEIGHT}"/>' for y, row in enumerate(frame) if row)
        frames.append(f'<g transform="translate({MARGIN} {k * height + MARGIN + CELL_HEIGHT * 0.75:g})">{uses}</g>')
    steps.append(f"100%{{transform:translateY(-{(len(frames) - 1) * height:g}px)}}")
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}">'
            f"<style>text{{font:14px ui-monospace,Menlo,Consolas,monospace;white-space:pre}}"
            f"@keyframes film{{{''.join(steps)}}}#film{{animation:film {total:.1f}s steps(1,end) infinite}}</style>"
            f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/><defs>{"".join(rows)}</defs>'
            f'<g id="film" fill="{COLORS["default"]}">{"".join(frames)}</g></svg>\n')


def draw_row(row):
    parts, x = [], 0
    for text, color, bold in row:
        fill = "" if color == "default" else f' fill="{COLORS.get(color, COLORS["default"])}"'
        # textLength: columns stay columns, whatever font there is.
        parts.append(f'<text x="{x * CELL_WIDTH:g}" textLength="{len(text) * CELL_WIDTH:g}"{fill}'
                     f'{BOLD if bold else ""}>{escape(text)}</text>')
        x += len(text)
    return "".join(parts)


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    zell, out = os.path.abspath(sys.argv[1]), sys.argv[2]
    home = tempfile.mkdtemp(prefix="zell-record-")
    env = {"PATH": f"{os.path.dirname(zell)}:/usr/bin:/bin", "HOME": home, "TERM": "xterm-256color", "LANG": "C.UTF-8",
           "XDG_RUNTIME_DIR": home}
    recording = Recording()
    try:
        for command in COMMANDS:
            type_in(recording, command)
            run(recording, command, env, home)
            recording.pass_time(READING_S)
    finally:
        subprocess.run([zell, "down"], env=env, capture_output=True)  # a second time does no harm
        shutil.rmtree(home)
    with open(out, "w", encoding="utf-8") as file:
        file.write(draw(recording))
    print(f"{out}: {len(recording.frames)} frames, {recording.now:.0f} s")


if __name__ == "__main__":
    main()
