# SPDX-License-Identifier: Apache-2.0
"""Runs clang-tidy over our own files, as many at once as there are cores; see analyze.sh.

A file without a finding is remembered under the hash of what the compiler sees of it (headers and
options included), of the checks and of the program, so that a second run looks only at what
changed.
"""
import concurrent.futures
import hashlib
import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("core", "plugins")
# The analyzer gives a function up after so many steps (its default is 225,000): all findings of the
# default were found with this, in a third of the time.
STEPS = 60000
LIMIT_S = 240  # for one file


def run(command, folder=ROOT, limit=LIMIT_S):
    return subprocess.run(command, cwd=str(folder), stdout=subprocess.PIPE, timeout=limit,
                          stderr=subprocess.PIPE, universal_newlines=True, errors="replace")


def our_files(build):
    """{file: its entry} of the C files below FOLDERS. A file that several targets compile counts
    once: clang-tidy would take each of its commands, and mixes them up."""
    found = {}
    for entry in json.loads(Path(build, "compile_commands.json").read_text(encoding="utf-8")):
        path = Path(entry["directory"], entry["file"]).resolve()
        if path.suffix == ".c" and any((ROOT / folder) in path.parents for folder in FOLDERS):
            found.setdefault(str(path), entry)
    return found


def fingerprint(command, folder, salt):
    """Of all that an analysis depends on; None where the preprocessor fails."""
    command = [word for word in command if not word.endswith("ccache")]
    at = command.index("-o")
    seen = run(command[:at] + command[at + 2:] + ["-E", "-o", "-"], folder)
    text = salt + seen.stdout
    return hashlib.sha256(text.encode()).hexdigest() if seen.returncode == 0 else None


def analyze(commands, path, entry, salt, cache):
    """(path, what was found or "", whether it was remembered)"""
    key = fingerprint(shlex.split(entry["command"]), entry["directory"], salt)
    mark = cache / key if key else None
    if mark and mark.exists():
        return path, "", True
    try:
        # The build's own options are gcc's: what clang does not know of them is no finding.
        result = run(["clang-tidy", "-p", commands, "--quiet",
                      "--extra-arg=-Wno-unknown-warning-option",
                      "--extra-arg=-Xclang", "--extra-arg=-analyzer-config",
                      "--extra-arg=-Xclang", "--extra-arg=max-nodes=%d" % STEPS, path])
    except subprocess.TimeoutExpired:
        return path, "%s: not done after %d s" % (path, LIMIT_S), False
    if result.returncode != 0:
        return path, result.stdout or result.stderr or "clang-tidy failed", False
    if mark:
        mark.touch()
    return path, "", False


def main(arguments):
    if len(arguments) != 1:
        print("usage: analyze.sh BUILD_FOLDER")
        return 2
    build = Path(arguments[0]).resolve()
    files = our_files(build)
    if not files:
        print("%s names no file of %s: nothing was looked at" % (build, " or ".join(FOLDERS)))
        return 1
    salt = run(["clang-tidy", "--version"]).stdout + (ROOT / ".clang-tidy").read_text()
    salt += Path(__file__).read_text()
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    cache = Path(os.environ.get("XYLEM_CACHE") or Path(home, "xylem")) / "analysis"
    cache.mkdir(parents=True, exist_ok=True)
    bad = remembered = 0
    with tempfile.TemporaryDirectory() as commands, \
            concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        Path(commands, "compile_commands.json").write_text(json.dumps(list(files.values())))
        jobs = [pool.submit(analyze, commands, path, entry, salt, cache)
                for path, entry in sorted(files.items())]
        for job in concurrent.futures.as_completed(jobs):
            path, found, known = job.result()
            remembered += known
            if found:
                bad += 1
                print(found.rstrip(), flush=True)
    print("%d files looked at (%d unchanged since they were found clean), %d with findings"
          % (len(files), remembered, bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
