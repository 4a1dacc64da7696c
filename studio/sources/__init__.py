"""What makes sound: SoundFonts, audio files, noise."""

from studio.sources import audio_file, noise, soundfont

__all__ = ["audio_file", "noise", "soundfont"]
