"""What of an Ardour session has no part in the sound, and what says nothing."""

from __future__ import annotations

from studio.interchange.xml_accounts import Silent

_ZERO, _ONE, _EMPTY = ("0", "no"), ("1", "yes"), ("",)

SILENT = Silent(
    elements=frozenset(
        {
            "ProgramVersion", "EngineHints", "MIDIPorts", "Config", "Metadata", "Regions", "Selection", "Bundles", "Click",
            "Speakers", "ControlProtocols", "Script", "UnusedPlaylists", "RouteGroups", "Extra", "IO", "InverseFadeIn",
            "InverseFadeOut", "MusicTimes", "Instant", "GUIObjectState", "Auditioner", "NotesUpdated", "TransportMaster",
            "TransportMasters", "Comments", "masters", "RemoteControl", "ProcessorBox", "ControlOutputs", "Geometry",
        }
    ),
    hollow=frozenset(
        {
            "AutomationList", "Automation", "Slavable", "VCAManager", "IOPlugins", "Triggers", "TriggerBindings", "Envelope",
            "FadeIn", "FadeOut", "Controllable", "PannerShell", "Panner", "Pannable", "MuteMaster", "PresentationInfo",
            "SceneMarkers", "Groups",
        }
    ),
    attributes=frozenset(
        {
            "id", "name", "version", "color", "order", "flags", "take-id", "natural-position", "origin", "locked",
            "video-locked", "automatic", "whole-file", "import", "external", "sync-marked", "left-of-split",
            "right-of-split", "hidden", "position-locked", "valid-transients", "sync-position", "ancestral-start",
            "ancestral-length", "tags", "contents", "default-fade-in", "default-fade-out", "first-edit", "pgroup-id",
            "shared-with-ids", "combine-ops", "orig-track-id", "timestamp", "cue", "meter-point", "meter-type",
            "saved-meter-point", "alignment-choice", "step-editing", "input-active", "restore-pgm", "record-safe",
            "denormal-protection", "strict-io", "default-type", "disk-io-point", "monitoring", "user-latency",
            "use-user-latency", "data-type", "own-input", "own-output", "output", "bitslot", "selfdestruct",
            "allow-feedback", "playback-channel-mode", "capture-channel-mode", "playback-channel-mask",
            "capture-channel-mask", "note-mode", "volume-applies-to-output", "direction", "time-domain", "transients",
            "analysis", "Session id-counter", "Session name-counter", "Session event-counter", "Session vca-counter",
            "Session session-range-is-free", "Session end-is-free", "Session sample-rate", "Location end", "Tempo enpm",
            "Tempo omega", "Tempo sclock", "Tempo bbt", "Tempo active", "Tempo locked-to-meter", "Tempo continuing",
            "Tempo clamped", "Meter sclock", "Meter bbt", "TempoMap superclocks-per-second", "Playlist frozen", "Route mode",
            "Region channels", "Region opaque", "Region layering-index", "Processor role", "Processor count",
            "Processor custom", "vst3 last-preset-uri", "vst3 last-preset-label", "vst3 parameter-changed-since-last-preset",
            "lv2 last-preset-uri", "lv2 last-preset-label", "lv2 parameter-changed-since-last-preset", "lv2 template-dir",
            "vst3 OwnerPrefs", "mute-point", "Controllable parameter", "Region master-source-0", "Region master-source-1",
            "Region source-1", "soloed-by-upstream", "soloed-by-downstream", "Panner uri", "Panner type", "Connection other",
            "Route audio-playlist", "Route midi-playlist", "PannerShell user-panner", "linked-to-route", "Port value",
            "Controllable value", "Source type", "Source channel", "Location start", "Playlist type", "AutomationList automation-id",
            "AutomationList state", "VCA number",
        }
    ),
    usual={
        "Source gain": _ONE, "Region stretch": _ONE, "Region shift": _ONE, "Region muted": _ZERO, "Region envelope-active": _ZERO,
        "Route active": _ONE, "Processor active": _ONE, "Processor sidechain": _EMPTY, "Region fade-in-active": _ZERO, "Region fade-out-active": _ZERO,
        "Controllable solo-isolated": _ZERO, "Controllable solo-safe": _ZERO, "Controllable phase-invert": ("0", "00"),
        "AutomationList interpolation-style": ("Linear", "Discrete", "Curved", "Logarithmic", "Exponential"),
    },
    owners=frozenset({"Route", "Region", "VCA", "Playlist", "Location"}),
    called={
        "events": "automation that is not switched to play", "Trigger": "a clip of the launcher",
        "Region stretch": "the stretch of a region", "Region shift": "the pitch of a region",
    },
)  # fmt: skip
"""Of views, ids, recording, wiring and caches."""
