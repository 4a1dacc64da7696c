"""What makes sound: SoundFonts, audio files and pieces of them, noise."""

from studio.sources import audio_file, clips, noise, soundfont

__all__ = ["audio_file", "clips", "noise", "soundfont"]
