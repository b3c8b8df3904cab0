# SPDX-License-Identifier: Apache-2.0
"""Confident learning beside cleanlab, on the same probabilities, in one run.

    python3 tests/bench/confident.py [BUILD [ROWS [CLASSES]]]

cleanlab and numpy are taken from the Python that runs this, or installed into an environment that
is thrown away (PEERS=1). Theirs runs as it does by default, and with one process; ours has one
thread.
The issues are the same but for records at a threshold, which numpy sums in 32 bits.
"""
import os
import subprocess
import sys
import tempfile
import time
import venv

try:
    import numpy
    from cleanlab.filter import find_label_issues
except ImportError:
    numpy = None


def install():
    """Runs this again in a new environment that has the peers."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = os.path.join(folder, "bin", "python")
        subprocess.run([python, "-m", "pip", "install", "-q", "cleanlab==2.9.0"], check=True)
        sys.exit(subprocess.run([python, *sys.argv], check=False).returncode)


def make(rows, classes):
    """A tenth of the labels turned; probabilities that mostly know the truth."""
    draw = numpy.random.default_rng(1)
    truth = draw.integers(classes, size=rows)
    labels = numpy.where(draw.random(rows) < 0.1, draw.integers(classes, size=rows), truth)
    logits = draw.normal(size=(rows, classes)).astype("f4")
    logits[numpy.arange(rows), truth] += 3
    powers = numpy.exp(logits)
    return labels, (powers / powers.sum(axis=1, keepdims=True)).astype("f4")


def main():
    build = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build")
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 1000000
    classes = int(sys.argv[3]) if len(sys.argv) > 3 else 20
    if numpy is None and os.environ.get("PEERS"):
        install()
    if numpy is None:
        sys.exit("there is no cleanlab: set PEERS=1 to install it for this run")
    labels, probabilities = make(rows, classes)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "rows")
        with open(path, "wb") as file:
            file.write(numpy.array([rows, classes], dtype="u8").tobytes())
            file.write(labels.astype("u4").tobytes())
            file.write(probabilities.tobytes())
        done = subprocess.run([os.path.join(build, "bin", "confident_bench"), path], check=True,
                              capture_output=True, text=True)
    print(f"{rows} x {classes}, load {os.getloadavg()[0]:.1f}")
    for line in done.stdout.splitlines():
        name, ours, found = line.split()
        times = []
        for jobs in (None, 1):
            start = time.monotonic()
            theirs = find_label_issues(labels, probabilities, filter_by=name, n_jobs=jobs)
            times.append(time.monotonic() - start)
        print(f"{name:20s} {float(ours):8.3f} s, {found} issues; cleanlab {times[0]:8.3f} s "
              f"({times[0] / float(ours):.1f} times), one process {times[1]:8.3f} s "
              f"({times[1] / float(ours):.1f} times), {theirs.sum()} issues")


if __name__ == "__main__":
    main()
