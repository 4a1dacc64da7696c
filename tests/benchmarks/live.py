"""A whole mixer, and one of its chains, in real time on JACK's dummy driver, beside a client in C that only copies.

`LIVE_MINUTES` is how long each of them plays; 10 if it is not set.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.table import Row, show

MINUTES = float(os.environ.get("LIVE_MINUTES", "10"))
RATE, PERIOD, TRACKS = 48_000, 128, 8
TRACK = """\
  track {number}:
    play: {{noise: {{length: 8 s, level: -20 dB, seed: {number}}}}}
    chain: [{{eq: {{low: 2 dB, high: -1 dB}}}}, {{compressor: {{threshold: -24 dB}}}}, chorus]
    pan: {pan}
    send: {{room: -9 dB, echoes: -12 dB}}
"""
SONG = """\
recipe: 1
rate: 48000
length: 8 s
tracks:
{tracks}
buses:
  room: {{chain: [reverb]}}
  echoes: {{chain: [echo], send: {{room: -12 dB}}}}
master: {{chain: [{{compressor: {{threshold: -12 dB}}}}, limiter]}}
"""
CLIENT = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
typedef struct client client; typedef struct port port;
extern client *jack_client_open(const char *, int, int *, ...);
extern int jack_set_process_callback(client *, int (*)(unsigned, void *), void *);
extern int jack_set_xrun_callback(client *, int (*)(void *), void *);
extern port *jack_port_register(client *, const char *, const char *, unsigned long, unsigned long);
extern void *jack_port_get_buffer(port *, unsigned);
extern int jack_activate(client *);
static port *in, *out;
static volatile int xruns, periods;
static double slowest;
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec * 1e-9; }
static int late(void *unused) { xruns++; return 0; }
static int process(unsigned frames, void *unused) {
    double begun = now();
    memcpy(jack_port_get_buffer(out, frames), jack_port_get_buffer(in, frames), frames * sizeof(float));
    double taken = now() - begun;
    if (taken > slowest) slowest = taken;
    periods++;
    return 0;
}
int main(int count, char **words) {
    client *c = jack_client_open("bare", 1, NULL);
    if (!c) return 1;
    in = jack_port_register(c, "in", "32 bit float mono audio", 1, 0);
    out = jack_port_register(c, "out", "32 bit float mono audio", 2, 0);
    jack_set_process_callback(c, process, NULL);
    jack_set_xrun_callback(c, late, NULL);
    jack_activate(c);
    usleep((unsigned)(atof(words[1]) * 1e6));
    printf("{\"periods\": %d, \"xruns\": %d, \"slowest_ms\": %.3f}\n", periods, xruns, slowest * 1000);
    return 0;
}
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        song, client = Path(folder, "song.yaml"), Path(folder, "client")
        tracks = "".join(TRACK.format(number=number, pan=number / TRACKS - 0.5) for number in range(TRACKS))
        song.write_text(SONG.format(tracks=tracks))
        client.with_suffix(".c").write_text(CLIENT)
        subprocess.run(["cc", "-O2", "-w", client.with_suffix(".c"), "-o", client, "-l:libjack.so.0"], check=True)
        seconds = str(MINUTES * 60)
        studio = [sys.executable, "-c", "from studio.cli import main; main()"]
        with server():
            bare = answer([str(client), seconds])
            live = [*studio, "live", str(song), "--osc", "0", "--seconds", seconds, "--json"]
            played = {"the mixer": answer(live), "one chain of it": answer([*live, "--strip", "track 0"])}
    rows = [
        Row("a client in C that copies: periods too late a minute", f"{bare['xruns'] / MINUTES:.1f}"),
        Row("a client in C that copies: slowest period", f"{bare['slowest_ms']:.3f} ms"),
    ]
    for what, went in played.items():
        most, late = went["period_ms"], went["xruns"]
        rows += [
            Row(f"{what}: periods too late a minute", f"{late / MINUTES:.1f}", "0", not late),
            Row(f"{what}: half of the periods take", f"{went['median_ms']:.3f} ms"),
            Row(f"{what}: all but one of a thousand take", f"{went['late_ms']:.3f} ms"),
            Row(f"{what}: slowest period", f"{went['slowest_ms']:.3f} ms", f"< {most} ms", went["slowest_ms"] < most),
        ]
    effects = TRACKS * 5 + 2 * 3 + 2
    show(f"{TRACKS} tracks, 2 buses, {effects} chains' steps and faders; {PERIOD} frames, {MINUTES:g} min each", rows)


@contextmanager
def server() -> Iterator[None]:
    """A JACK server of its own name on the dummy driver, in real time where the system allows it."""
    os.environ |= {"JACK_DEFAULT_SERVER": f"bench-{os.getpid()}", "JACK_NO_AUDIO_RESERVATION": "1"}
    words = ["jackd", "-R", "-n", os.environ["JACK_DEFAULT_SERVER"], "-d", "dummy", "-r", str(RATE), "-p", str(PERIOD)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(2)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


def answer(words: list[str]) -> dict[str, float]:
    """What a client prints about itself in the end."""
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


if __name__ == "__main__":
    main()
