"""What of a DAWproject has no part in the sound, and what says nothing."""

from __future__ import annotations

from studio.interchange.xml_accounts import Silent

SILENT = Silent(
    elements=frozenset({"Application", "Marker"}),
    hollow=frozenset({"Transport", "Scenes", "Scene", "Markers", "Lanes", "Clips", "ClipSlot", "Points", "Target", "Parameters"}),
    attributes=frozenset(
        {
            "id", "name", "color", "comment", "parameterID", "contentType", "loaded", "pluginVersion", "deviceVendor",
            "deviceName", "deviceRole", "audioChannels", "Project version", "min", "max", "unit", "timeUnit", "algorithm",
            "Audio channels", "Audio sampleRate", "Audio duration", "contentTimeUnit", "fadeTimeUnit", "File external",
            "State external", "hasStop", "ClipSlot track", "labels", "count", "value", "Channel role", "Tempo value",
        }
    ),
    usual={"Enabled value": ("true",), "Enable value": ("true",), "Mute value": ("false",), "Channel solo": ("false",)},
    owners=frozenset({"Track", "Channel", "Clip"}),
    called={"Video": "video", "BoolParameter": "a switch of a device", "EnumParameter": "a choice of a device"},
)  # fmt: skip
"""Of names, ids and what a plugin's state holds too."""
