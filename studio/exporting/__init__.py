"""Chains and instruments as plugins, samples and source: what is exported, how it is built, and hosts that check it."""
