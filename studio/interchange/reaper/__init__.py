"""REAPER projects (.rpp): text in nested chunks.

There is no published standard; what stands where follows ReaTeam's "State Chunk Definitions".
"""
