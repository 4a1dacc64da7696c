"""Test signals and measurements for stretching, shared by the tests and the benchmark."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from studio.audio import Block
from studio.context import RenderContext
from studio.score import Event, Note, Score
from studio.sources.soundfont import SoundFont
from studio.tempo import TempoMap

RATE = 44_100
BPM = 120
SAXOPHONE, BASS, GUITAR, FLUTE = 65, 32, 24, 73
SIDE_STICK = 37


def render(notes: list[Note], programs: dict[int, int], pans: dict[int, int] | None = None, *, bpm: float = BPM,
           seconds: float, channels: int = 1, reverb: float = 0.0) -> Block:  # fmt: skip
    """Notes through FluidSynth and the General MIDI SoundFont, without chorus."""
    events = [Event(0, bytes((0xC0 | channel, program))) for channel, program in programs.items()]
    events += [Event(0, bytes((0xB0 | channel, 10, pan))) for channel, pan in (pans or {}).items()]
    score = Score(tuple(events), 480, TempoMap.constant(bpm)).with_notes(notes)
    blocks = SoundFont("gm", reverb=reverb, chorus=0.0).play(score, RenderContext(rate=RATE, channels=channels))
    whole = np.concatenate(list(blocks), axis=1)[:, : round(seconds * RATE)]
    return np.pad(whole, ((0, 0), (0, round(seconds * RATE) - whole.shape[1])))


@cache
def sax_line(seconds: float = 30.0, bpm: float = BPM, semitones: int = 0) -> Block:
    """A monophonic line of an alto saxophone, mono; at another tempo or key it is played anew."""
    random = np.random.default_rng(3)
    notes, tick = [], 0
    while tick < 480 * 2 * 30:
        length = int(random.choice([240, 480, 720, 960]))
        pitch = 57 + int(random.choice([0, 2, 3, 5, 7, 9, 10, 12])) + semitones
        notes.append(Note(tick, tick + length - 30, pitch, int(random.integers(80, 115))))
        tick += length
    return render(notes, {0: SAXOPHONE}, bpm=bpm, seconds=seconds)


HIT_SECONDS = tuple(0.5 + 0.5 * beat for beat in range(14))


@cache
def hits(bpm: float = BPM) -> Block:
    """A side stick on every beat, mono: at 120 bpm at `HIT_SECONDS`."""
    notes = [Note(480 * (beat + 1), 480 * (beat + 1) + 120, SIDE_STICK, 110, 9) for beat in range(len(HIT_SECONDS))]
    return render(notes, {}, bpm=bpm, seconds=8.0 * BPM / bpm, reverb=0.9)


@cache
def mix(seconds: float = 10.0, bpm: float = BPM, semitones: int = 0) -> Block:
    """A band in stereo: guitar to the left, flute to the right, bass and drums, in a room."""
    random = np.random.default_rng(5)
    notes: list[Note] = []
    for beat in range(20):
        root = (45, 41, 48, 43)[beat // 4 % 4] + semitones
        at = beat * 480
        notes.append(Note(at, at + 440, root - 12, 100, 1))
        if beat % 4 == 0:
            notes += [Note(at, at + 1900, root + 12 + step, 70, 2) for step in (0, 7, 16)]
        notes += [
            Note(at + half, at + half + 220, root + 24 + int(random.choice([0, 3, 7, 12])), 80) for half in (0, 240)
        ]
        notes.append(Note(at, at + 100, 36 if beat % 2 == 0 else 38, 100, 9))
        notes += [Note(at + half, at + half + 60, 42, 80, 9) for half in (0, 240)]
    programs, pans = {0: GUITAR, 1: BASS, 2: FLUTE}, {0: 23, 1: 64, 2: 105, 9: 64}
    return render(notes, programs, pans, bpm=bpm, seconds=seconds * BPM / bpm, channels=2, reverb=0.9)


@cache
def vowel(seconds: float = 4.0, hz: float = 150.0, semitones: float = 0.0, formants: float = 0.0) -> Block:
    """A sung "ah", mono: pulses with vibrato through formants that stay where they are at any pitch."""
    frames = np.arange(round(seconds * RATE))
    f0 = vowel_hz(frames / RATE, hz, semitones)
    phase = np.cumsum(f0) / RATE
    source = np.zeros(len(frames))
    for harmonic in range(1, int(8000 / (hz * 2 ** (semitones / 12))) + 1):
        source += np.cos(2 * np.pi * harmonic * phase) / harmonic
    spectrum = np.fft.rfft(source) * _formants(np.fft.rfftfreq(len(source), 1 / RATE), 2 ** (formants / 12))
    sound = np.fft.irfft(spectrum, len(source))
    breath = 0.003 * np.random.default_rng(7).standard_normal(len(source))
    return (0.3 * (sound / np.abs(sound).max() + breath))[None].astype(np.float32)


def vowel_hz(seconds: NDArray[np.float64], hz: float = 150.0, semitones: float = 0.0) -> NDArray[np.float64]:
    """The pitch of `vowel`: 30 cents of vibrato, five times a second."""
    return hz * 2 ** ((semitones + 0.3 * np.sin(2 * np.pi * 5 * seconds)) / 12)


def _formants(hz: NDArray[np.float64], moved: float) -> NDArray[np.complex128]:
    gain = np.ones(len(hz), complex)
    for centre, width in ((700, 110), (1220, 120), (2600, 160), (3300, 200)):
        pole = np.exp(moved * (-np.pi * width / RATE + 2j * np.pi * centre / RATE))
        turn = np.exp(-2j * np.pi * hz / RATE)
        gain *= abs(1 - pole) ** 2 / ((1 - pole * turn) * (1 - pole.conj() * turn))
    return gain


TONES = tuple(float(hz) for hz in np.geomspace(110, 3520, 21))


def tone(hz: float, seconds: float = 4.0) -> Block:
    """A sine, mono."""
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE))[None].astype(np.float32)


def spur_db(sound: Block, hz: float) -> float:
    """The power further than 6 Hz away from a tone against all power, in the middle of the sound."""
    spectrum, bins = _middle(sound)
    return 10 * float(np.log10(spectrum[np.abs(bins - hz) > 6].sum() / spectrum.sum()))


def strongest_hz(sound: Block) -> float:
    """The frequency of the strongest partial in the middle of the sound."""
    spectrum, bins = _middle(sound)
    top = int(np.argmax(spectrum[1:-1])) + 1
    left, middle, right = np.log(spectrum[top - 1 : top + 2] + 1e-30)
    return float(bins[top] + 0.5 * (left - right) / (left - 2 * middle + right) * bins[1])


def _middle(sound: Block) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    mono = np.asarray(sound[0], np.float64)
    quarter = len(mono) // 4
    piece = mono[quarter : 3 * quarter]
    return np.abs(np.fft.rfft(piece * np.blackman(len(piece)))) ** 2, np.fft.rfftfreq(len(piece), 1 / RATE)


class HitReport(NamedTuple):
    """How hits sound: where they begin against where they should (mean and deviation), what comes before, how long."""

    offset_ms: float
    spread_ms: float
    pre_echo_db: float
    span_ms: float
    worst_ms: float


def hit_report(sound: Block, seconds: NDArray[np.float64] | tuple[float, ...]) -> HitReport:
    """Measured around each of `seconds`: onset where a 1 ms envelope passes a fifth of its top; the energy from 50 ms
    to 2 ms before that against the hit's; the time from 5 to 95 % of the energy. Medians over the hits."""
    power = np.square(np.asarray(sound, np.float64)).sum(axis=0)
    envelope = np.convolve(power, np.ones(44) / 44, mode="same")
    at = np.round(np.asarray(seconds) * RATE).astype(int)
    offsets, echoes, spans = [], [], []
    for begin in at:
        low = begin - round(0.05 * RATE)
        around = envelope[low : begin + round(0.15 * RATE)]
        onset = low + int(np.argmax(around > 0.04 * around.max()))
        offsets.append((onset - begin) / RATE * 1000)
        hit = power[begin - round(0.05 * RATE) : begin + round(0.3 * RATE)]
        before = power[onset - round(0.05 * RATE) : onset - round(0.002 * RATE)]
        echoes.append(10 * np.log10(before.sum() / hit.sum() + 1e-12))
        risen = np.cumsum(hit) / hit.sum()
        spans.append((np.searchsorted(risen, 0.95) - np.searchsorted(risen, 0.05)) / RATE * 1000)
    return HitReport(
        float(np.mean(offsets)), float(np.std(offsets)), float(np.median(echoes)), float(np.median(spans)),
        float(np.abs(np.array(offsets) - np.median(offsets)).max()),
    )  # fmt: skip


class Stereo(NamedTuple):
    """A stereo image: correlation, level of the middle over the side, mean coherence from 100 Hz to 4 kHz."""

    correlation: float
    middle_side_db: float
    coherence: float


def stereo_image(sound: Block) -> Stereo:
    """How the two channels belong together."""
    from scipy.signal import coherence

    left, right = np.asarray(sound, np.float64)
    hz, shared = coherence(left, right, RATE, nperseg=2048)
    middle, side = left + right, left - right
    return Stereo(
        float(np.corrcoef(left, right)[0, 1]),
        10 * float(np.log10(np.square(middle).sum() / np.square(side).sum())),
        float(shared[(hz >= 100) & (hz <= 4000)].mean()),
    )


class Periods(NamedTuple):
    """A voice by windows: seconds of their middles, pitch, and harmonics-to-noise ratio."""

    seconds: NDArray[np.float64]
    hz: NDArray[np.float64]
    hnr_db: NDArray[np.float64]


def periods(sound: Block, low_hz: float = 75.0, high_hz: float = 500.0) -> Periods:
    """Pitch and harmonicity by the autocorrelation of Boersma (1993), written apart from the studio's own tracker."""
    mono = np.asarray(sound[0], np.float64)
    size, hop = round(3 / low_hz * RATE), round(0.01 * RATE)
    starts = np.arange(0, len(mono) - size, hop)
    window = np.hanning(size)
    frames = np.lib.stride_tricks.sliding_window_view(mono, size)[starts]
    padded = 1 << (2 * size - 1).bit_length()
    own = np.fft.irfft(np.abs(np.fft.rfft(window, padded)) ** 2)[: size // 2]
    spectra = np.fft.rfft((frames - frames.mean(axis=1, keepdims=True)) * window, padded)
    heard = np.fft.irfft(np.abs(spectra) ** 2)[:, : size // 2]
    shape = heard / heard[:, :1] / (own / own[0])
    first, last = int(RATE / high_hz), int(RATE / low_hz)
    region = shape[:, first : last + 1] - 0.02 * np.log2(np.arange(first, last + 1) / first)
    top = first + 1 + np.argmax(region[:, 1:-1], axis=1)
    rows = np.arange(len(starts))
    left, middle, right = (shape[rows, top + step] for step in (-1, 0, 1))
    shift = 0.5 * (left - right) / (left - 2 * middle + right)
    strength = np.clip(middle - 0.25 * (left - right) * shift, 1e-6, 1 - 1e-6)
    return Periods((starts + size / 2) / RATE, RATE / (top + shift), 10 * np.log10(strength / (1 - strength)))


def hnr_db(sound: Block) -> float:
    """The median harmonics-to-noise ratio."""
    return float(np.median(periods(sound).hnr_db[5:-5]))


def pitch_error_cents(
    sound: Block, semitones: float = 0.0, duration_ratio: float = 1.0, hz: float = 150.0
) -> tuple[float, float]:
    """The median distance from the pitch `vowel` should have, and the share of windows further than 50 cents."""
    heard = periods(sound)
    wanted = vowel_hz(heard.seconds / duration_ratio, hz, semitones)
    errors = np.abs(1200 * np.log2(heard.hz / wanted))[5:-5]
    return float(np.median(errors)), float((errors > 50).mean())


def envelope_change_db(one: Block, other: Block, low: float = 200.0, high: float = 4000.0) -> float:
    """The mean difference of two sounds' average spectral envelopes, level apart."""
    first, second = _envelope(one, low, high), _envelope(other, low, high)
    return float(np.abs((first - first.mean()) - (second - second.mean())).mean())


def _envelope(sound: Block, low: float, high: float) -> NDArray[np.float64]:
    """The mean over windows of the cepstrally smoothed spectrum (quefrencies to 2 ms) in dB."""
    size = 2048
    frames = np.lib.stride_tricks.sliding_window_view(np.asarray(sound[0], np.float64), size)[:: size // 2]
    levels = np.log(np.abs(np.fft.rfft(frames * np.hanning(size))) + 1e-7)
    cepstra = np.fft.irfft(levels)
    cepstra[:, 88:-87] = 0
    smooth = np.fft.rfft(cepstra).real.mean(axis=0) * 20 / np.log(10)
    hz = np.fft.rfftfreq(size, 1 / RATE)
    return np.asarray(smooth[(hz >= low) & (hz <= high)])
